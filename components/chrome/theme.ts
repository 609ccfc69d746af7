// The reader's theme and the cookie that keeps it. Usable on the server and in the browser; knows nothing of colours.

export type ThemeChoice = 'system' | 'light' | 'dark'
export const themeCookie = 'theme'
export const asTheme = (value: string | undefined): ThemeChoice => (value === 'light' || value === 'dark' ? value : 'system')
