import { ConnectionError } from './connection-error.ts'
import { ErrorCode, MAX_31_BITS, MAX_FRAME_BYTES, Setting } from './protocol.ts'

const SETTING_BYTES = 6
/** More kinds than there are. */
const MAX_SETTINGS = 32
const MOST_FRAME_BYTES = 0xff_ffff

/** What of a client's settings changes anything here: RFC 9113, section 6.5.2. The last value of each counts. */
export interface ClientSettings {
  readonly initialWindow: number | undefined
  readonly tableBytes: number | undefined
}

/** @throws ConnectionError where a value may not be */
export function readSettings(bytes: Buffer, start: number, end: number): ClientSettings {
  if ((end - start) % SETTING_BYTES !== 0)
    throw new ConnectionError(ErrorCode.frameSizeError, 'SETTINGS hold a part of a setting')
  if (end - start > MAX_SETTINGS * SETTING_BYTES)
    throw new ConnectionError(ErrorCode.enhanceYourCalm, `SETTINGS hold more than ${MAX_SETTINGS}`)
  let initialWindow: number | undefined
  let tableBytes: number | undefined
  for (let at = start; at < end; at += SETTING_BYTES) {
    const value = bytes.readUInt32BE(at + 2)
    switch (bytes.readUInt16BE(at)) {
      case Setting.headerTableSize:
        tableBytes = Math.min(tableBytes ?? value, value)
        break
      case Setting.enablePush:
        if (value > 1) throw new ConnectionError(ErrorCode.protocolError, 'ENABLE_PUSH is neither 0 nor 1')
        break
      case Setting.initialWindowSize:
        if (value > MAX_31_BITS)
          throw new ConnectionError(ErrorCode.flowControlError, 'INITIAL_WINDOW_SIZE is more than 2^31-1')
        initialWindow = value
        break
      case Setting.maxFrameSize:
        if (value < MAX_FRAME_BYTES || value > MOST_FRAME_BYTES)
          throw new ConnectionError(ErrorCode.protocolError, 'MAX_FRAME_SIZE is out of its range')
        break
    }
  }
  return { initialWindow, tableBytes }
}
