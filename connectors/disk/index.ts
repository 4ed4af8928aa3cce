import { defineConnector } from '../../src/define.ts'
import { administer } from './administer.ts'
import { DiskConfig } from './config.ts'
import { DiskConnector } from './connector.ts'

/**
 * A buffer in a folder of this machine. What it has acknowledged survives the end of the process and of the machine,
 * and is handed out until it is acknowledged in turn; after a crash possibly once more, which ids make harmless.
 */
export const disk = defineConnector({
  type: 'disk',
  summary: 'Buffers batches durably in files, for one process.',
  config: DiskConfig,
  oneProcess: 'its folder has one owner',
  isSpill: true,
  example: { directory: '/tmp/sluice-example/buffer', min_free: '1MiB' },
  create: (config, context) => new DiskConnector(config, context),
  administer,
})
