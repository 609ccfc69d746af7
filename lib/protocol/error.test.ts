import { expect, it } from 'vitest'
import { errorView, LabError } from './index.ts'

it('an error crosses a port in every language that it has', () => {
  const both = new LabError('conflict', { en: 'All hints have been shown.', ko: '힌트를 모두 보았습니다.' }, { hint: 'Ask.' })
  expect(both.message).toBe('All hints have been shown.')
  expect(errorView.parse(both.view())).toEqual({
    code: 'conflict',
    message: 'All hints have been shown.',
    hint: 'Ask.',
    ko: { message: '힌트를 모두 보았습니다.', hint: 'Ask.' },
  })
  expect(LabError.from(both.view()).view()).toEqual(both.view())
  const otherwise = { en: 'Try again.', ko: '다시 시도하세요.' }
  expect(new LabError('internal', { en: 'No room.', ko: '자리가 없습니다.' }).view(otherwise)).toEqual({
    code: 'internal',
    message: 'No room.',
    hint: 'Try again.',
    ko: { message: '자리가 없습니다.', hint: '다시 시도하세요.' },
  })
  expect(both.view(otherwise), 'its own hint comes first').toEqual(both.view())
  expect(new LabError('internal', 'No room.').view()).toEqual({ code: 'internal', message: 'No room.' })
})
