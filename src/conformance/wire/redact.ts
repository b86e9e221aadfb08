/** What a transcript may say about a request: method and target, without what proves who asks. */

/** Query parameters that are keys to something: signatures and tokens of signed URLs. Cursors and upload ids are none, and checks read them. */
const secrets = new Set([
  "x-amz-signature",
  "x-amz-credential",
  "x-amz-security-token",
  "x-goog-signature",
  "x-goog-credential",
  "awsaccesskeyid",
  "signature",
  "sig",
  "access_token",
  "refresh_token",
  "token",
  "key",
  "password",
]);

/** `/bucket/a?X-Amz-Signature=5f3c&part=1` becomes `/bucket/a?X-Amz-Signature=***&part=1`. Nothing else changes, so that paths read as they were sent. */
export function redactTarget(target: string): string {
  const question = target.indexOf("?");
  if (question === -1) return target;
  const parameters = target
    .slice(question + 1)
    .split("&")
    .map((parameter) => {
      const name = parameter.split("=", 1)[0] ?? "";
      return name !== parameter && secrets.has(plain(name)) ? `${name}=***` : parameter;
    });
  return `${target.slice(0, question)}?${parameters.join("&")}`;
}

function plain(name: string): string {
  try {
    return decodeURIComponent(name).toLowerCase();
  } catch {
    return name.toLowerCase();
  }
}
