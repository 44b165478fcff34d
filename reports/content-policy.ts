/** Of pages that hold everything they show: the browser may get nothing from anywhere else. */
export const CONTENT_POLICY: string = [
  "default-src 'none'",
  "style-src 'unsafe-inline'",
  "script-src 'unsafe-inline'",
  'img-src data:',
  "base-uri 'none'",
  "form-action 'none'",
].join('; ');
