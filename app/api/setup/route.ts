// The machine's set-up: how far it is; POST starts it, with consent, from the machine itself.
import { lab } from '#lib/server/handle.ts'

export const dynamic = 'force-dynamic'
export const GET = (request: Request) => lab().api.setup(request, {})
export const POST = (request: Request) => lab().api.startSetup(request, {})
