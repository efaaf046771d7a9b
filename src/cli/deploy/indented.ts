/** Every line that has something in it begins with `blanks` blanks: a file inside of YAML. */
export function indented(text: string, blanks: number): string {
  return text.replace(/^(?=.)/gm, ' '.repeat(blanks));
}
