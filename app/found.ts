// What is not there for the reader of a page is a page that is not there. Knows errors by their code.
import { notFound } from 'next/navigation'
import { asLabError } from '#lib/protocol/index.ts'

export async function found<T>(work: Promise<T>): Promise<T> {
  try {
    return await work
  } catch (thrown) {
    if (asLabError(thrown).code === 'not-found') notFound()
    throw thrown
  }
}
