/** The pages of the demo's login provider: as plain as can be, so that nobody takes them for the gateway's. */

const frame = (title: string, content: string): string => `<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>${title}</title><link rel="icon" href="data:,">
<style>
  :root { color-scheme: light dark }
  body { font: 1rem/1.5 system-ui, sans-serif; max-width: 24rem; margin: 15vh auto; padding: 0 1rem; text-align: center }
  code { display: block; font-size: 2rem; margin: 1rem 0 }
  input, button { font: inherit; padding: .5rem 1rem; margin: .25rem }
</style></head>
<body><p><small>The demo's provider</small></p><h1>${title}</h1>${content}</body>
</html>
`;

export const askForName = (): string =>
  frame(
    'Who are you?',
    `<form method="post"><p><input name="name" value="alice" aria-label="Name" autofocus></p>
<button type="submit">Log in</button> <button type="submit" name="deny" value="yes">Deny</button></form>`,
  );

export const askForCode = (form: string, isWrong: boolean): string =>
  frame(
    'Enter the code',
    `${isWrong ? '<p>That code is not known, or it has been used.</p>' : ''}${form}
<button type="submit" form="op.deviceInputForm">Continue</button>`,
  );

export const confirmCode = (form: string, code: string): string =>
  frame(
    'Is this your code?',
    `<code>${code}</code>${form}
<button type="submit" form="op.deviceConfirmForm" autofocus>Continue</button>
<button type="submit" form="op.deviceConfirmForm" name="abort" value="yes">Deny</button>`,
  );

export const codeIsDone = (): string => frame('Done', '<p>Go back to where you started.</p>');
