import type { Mistake } from "./problem";
import type { Value, Variable } from "./wire";

/** What a form holds for one variable, as the person entered it: a list has one item per line. */
export type Entered = string;

/** What the form shows at first: what was chosen before, or the default. */
export function initial(variable: Variable, chosen?: Value): Entered {
  if (chosen !== undefined) return Array.isArray(chosen) ? chosen.join("\n") : String(chosen);
  const value = variable.default ?? "";
  return variable.type === "list" ? value.split(/\s+/).join("\n") : value;
}

/**
 * The value that is sent, or what is wrong with it. `undefined` leaves the variable to its default. The server checks
 * the same rules and has the last word.
 */
export function read(variable: Variable, entered: Entered): { value: Value | undefined } | { error: string } {
  const text = variable.type === "string" ? entered : entered.trim();
  if (text === "" || entered === initial(variable)) return { value: undefined };
  switch (variable.type) {
    case "boolean":
      return { value: text === "true" };
    case "integer":
    case "number":
      return readNumber(variable, text);
    case "list": {
      const items = text.split(/\s+/);
      const most = variable.max_items ?? 0;
      if (most > 0 && items.length > most) return { error: `No more than ${most} lines.` };
      for (const item of items) {
        const error = mistakeIn(variable, item);
        if (error) return { error: `“${item}”: ${error}` };
      }
      return { value: items };
    }
    case "string": {
      const error = mistakeIn(variable, text);
      return error ? { error } : { value: text };
    }
  }
}

function readNumber(variable: Variable, text: string): { value: number } | { error: string } {
  const value = Number(text.replace(",", "."));
  if (!Number.isFinite(value)) return { error: "This has to be a number." };
  if (variable.type === "integer" && !Number.isInteger(value)) return { error: "This has to be a whole number." };
  const { min, max } = variable;
  if (min !== undefined && value < min) return { error: `${max === undefined ? `At least ${min}.` : `Between ${min} and ${max}.`}` };
  if (max !== undefined && value > max) return { error: `${min === undefined ? `At most ${max}.` : `Between ${min} and ${max}.`}` };
  if (variable.allowed?.length && !variable.allowed.some((allowed) => Number(allowed) === value)) return { error: `One of ${variable.allowed.join(", ")}.` };
  return { value };
}

function mistakeIn(variable: Variable, text: string): string {
  const { allowed, pattern, max_length: most } = variable;
  if (allowed?.length && !allowed.includes(text)) return `One of ${allowed.join(", ")}.`;
  if (most && [...text].length > most) return `No more than ${most} characters.`;
  if (pattern && !fits(pattern, text)) return variable.default ? `This does not look right. An example: ${variable.default}` : "This does not look right.";
  return "";
}

/** Whether the whole text fits. Patterns are RE2's: what JavaScript cannot read is left to the server. */
function fits(pattern: string, text: string): boolean {
  try {
    return new RegExp(`^(?:${pattern})$`, "u").test(text);
  } catch {
    return true;
  }
}

/** Sorts the mistakes that the server names by variable; what belongs to none is under "". */
export function byVariable(mistakes: Mistake[]): Map<string, string> {
  const sorted = new Map<string, string>();
  for (const { location, message } of mistakes) {
    const name = /^body\.env\.(.+)$/.exec(location ?? "")?.[1] ?? "";
    sorted.set(name, [sorted.get(name), message].filter(Boolean).join(" "));
  }
  return sorted;
}
