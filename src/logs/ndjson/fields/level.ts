const LEVELS = ['TRACE', 'DEBUG', 'INFO', 'WARN', 'ERROR', 'FATAL']
const NUMBERS_PER_LEVEL = 4

/** The short name of a severity number; undefined for one that OpenTelemetry does not know. */
export function levelOf(severityNumber: number): string | undefined {
  return LEVELS[Math.ceil(severityNumber / NUMBERS_PER_LEVEL) - 1]
}
