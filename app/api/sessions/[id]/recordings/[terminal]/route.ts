// A terminal's recording as asciicast v2.
import { lab } from '#lib/server/handle.ts'

export const dynamic = 'force-dynamic'
export const GET = async (request: Request, { params }: { params: Promise<Record<string, string>> }) =>
  lab().api.recording(request, await params)
