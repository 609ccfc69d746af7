// Tailwind 4 is a PostCSS plugin; there is nothing else to configure.
export default { plugins: { '@tailwindcss/postcss': {} } }
