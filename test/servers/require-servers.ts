import { inject } from 'vitest'

// Runs before every integration suite, so that each fails with the reason and none is skipped.
const problem = inject('elasticsearchProblem')
if (problem !== '') throw new Error(problem)
