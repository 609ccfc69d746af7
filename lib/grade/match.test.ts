import { describe, expect, it } from 'vitest'
import { mismatch } from './match.ts'

describe('partial match', () => {
  it('holds when every given field is equal, whatever else is there', () => {
    expect(mismatch({ spec: { replicas: 2 } }, { spec: { replicas: 2, paused: false }, status: {} })).toBeNull()
  })
  it('names the field that differs and what is there', () => {
    expect(mismatch({ spec: { replicas: 2 } }, { spec: { replicas: 3 } })).toBe('spec.replicas is 3, not 2')
    expect(mismatch({ spec: { a: { b: 1 } } }, { spec: {} })).toBe('spec.a is missing')
  })
  it('finds each list item somewhere in the list', () => {
    expect(mismatch({ ports: [{ port: 80 }] }, { ports: [{ port: 443 }, { port: 80, name: 'http' }] })).toBeNull()
    expect(mismatch({ ports: [{ port: 81 }] }, { ports: [{ port: 80 }] })).toBe('ports has nothing that matches {"port":81}')
  })
  it('does not take a number for its text', () => {
    expect(mismatch({ port: '80' }, { port: 80 })).not.toBeNull()
  })
})
