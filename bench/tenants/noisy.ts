import { parentPort, workerData } from 'node:worker_threads'
import { type PacedOptions, sendPaced } from './paced.ts'

// In a thread of its own, so that it is Sluice that could slow the other tenant, and not the sender.
const { taken, refused } = await sendPaced(workerData as PacedOptions)
parentPort?.postMessage({ taken, refused })
