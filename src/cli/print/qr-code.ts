/**
 * Draws links as QR codes in half blocks, for a phone's camera. With colours a code is dark on light whatever the
 * terminal's theme is, as the standard (ISO/IEC 18004) wants it; without, a dark background is assumed.
 */
export async function loadQrCodes(colours: boolean): Promise<(link: string) => string> {
  const { renderUnicodeCompact } = await import('uqr');
  const paint = (line: string) => (colours ? `\u001b[97;40m${line}\u001b[0m` : line); // light modules are drawn
  return (link) => renderUnicodeCompact(link, { border: 2 }).split('\n').map(paint).join('\n');
}
