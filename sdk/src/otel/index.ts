export { SluiceLogRecordProcessor } from './log-record-processor.ts'
export { loggerProvider } from './logger-provider.ts'
export type { SdkRecord, SdkResource } from './readable-record.ts'
