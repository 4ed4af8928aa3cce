import { z } from 'zod'

/** Who may send, in the Collector's words. */
export const Auth = z.strictObject({
  authenticator: z
    .string()
    .describe('Id of the extension that says who sends: basicauth, bearertokenauth or oidc.'),
})

export type Auth = z.output<typeof Auth>
