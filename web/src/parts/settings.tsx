import { useId, useState } from "preact/hooks";

import { advise } from "../advice";
import { byVariable, initial, read, type Entered } from "../fields";
import type { Problem } from "../problem";
import type { App, Value, Variable } from "../wire";

interface SettingsProps {
  app: App;
  /** What was tried before, and what the server found wrong with it. */
  values?: Record<string, Value> | undefined;
  refused?: Problem | undefined;
  start: (env: Record<string, Value>) => void;
  cancel: () => void;
}

/** The settings of an app as a form; `start` gets what differs from the defaults. */
export function SettingsForm({ app, values, refused, start, cancel }: SettingsProps) {
  const [entered, setEntered] = useState<Record<string, Entered>>(() => Object.fromEntries(app.variables.map((v) => [v.name, initial(v, values?.[v.name])])));
  // The server's words stand until the field is changed.
  const [mistakes, setMistakes] = useState<Map<string, string>>(() => byVariable(refused?.errors ?? []));

  const check = (variable: Variable, text: Entered) => {
    const result = read(variable, text);
    const next = new Map(mistakes);
    if ("error" in result) next.set(variable.name, result.error);
    else next.delete(variable.name);
    setMistakes(next);
  };
  const submit = (event: Event) => {
    event.preventDefault();
    const env: Record<string, Value> = {};
    const wrong = new Map<string, string>();
    for (const variable of app.variables) {
      const result = read(variable, entered[variable.name] ?? "");
      if ("error" in result) wrong.set(variable.name, result.error);
      else if (result.value !== undefined) env[variable.name] = result.value;
    }
    setMistakes(wrong);
    const [first] = wrong.keys();
    if (first === undefined) return start(env);
    (event.currentTarget as HTMLFormElement).querySelector<HTMLElement>(`[name="${CSS.escape(first)}"]`)?.focus();
  };
  const general = mistakes.get("");
  return (
    <form class="form" noValidate onSubmit={submit}>
      {refused && mistakes.size > 0 && (
        <p class="mistake" role="alert">
          {general ?? advise(refused).title}
        </p>
      )}
      {app.variables.map((variable) => (
        <Field
          key={variable.name}
          variable={variable}
          value={entered[variable.name] ?? ""}
          mistake={mistakes.get(variable.name)}
          change={(text) => {
            setEntered({ ...entered, [variable.name]: text });
            if (mistakes.has(variable.name)) check(variable, text);
          }}
          left={() => check(variable, entered[variable.name] ?? "")}
        />
      ))}
      <div class="actions end">
        <button type="button" class="button" onClick={cancel}>
          Cancel
        </button>
        <button type="submit" class="button primary">
          Start {app.title}
        </button>
      </div>
    </form>
  );
}

interface FieldProps {
  variable: Variable;
  value: Entered;
  mistake: string | undefined;
  change: (text: Entered) => void;
  left: () => void;
}

function Field(props: FieldProps) {
  const { variable, mistake } = props;
  const id = useId();
  const title = variable.title || variable.name;
  const about = [variable.description && `${id}-about`, mistake && `${id}-mistake`].filter(Boolean).join(" ") || undefined;
  return (
    <div class={mistake ? "field wrong" : "field"} data-variable={variable.name}>
      {variable.type !== "boolean" && <label for={id}>{title}</label>}
      <Control {...props} id={id} about={about} />
      {variable.type === "boolean" && <label for={id}>{title}</label>}
      {variable.description && (
        <p class="about" id={`${id}-about`}>
          {variable.description}
        </p>
      )}
      {mistake && (
        <p class="mistake" id={`${id}-mistake`} role="alert">
          {mistake}
        </p>
      )}
    </div>
  );
}

function Control({ variable, value, mistake, change, left, id, about }: FieldProps & { id: string; about: string | undefined }) {
  const common = { id, name: variable.name, "aria-describedby": about, "aria-invalid": mistake ? true : undefined };
  if (variable.type === "boolean") {
    return <input {...common} type="checkbox" class="switch" role="switch" checked={value === "true"} onChange={(event) => change(String(event.currentTarget.checked))} />;
  }
  if (variable.type === "list") {
    return (
      <textarea
        {...common}
        rows={3}
        spellcheck={false}
        placeholder="One per line"
        value={value}
        onInput={(event) => change(event.currentTarget.value)}
        onBlur={left}
      />
    );
  }
  if (variable.allowed?.length) {
    return (
      <select {...common} value={value} onChange={(event) => change(event.currentTarget.value)}>
        {variable.default === undefined && <option value="">Whatever the app prefers</option>}
        {variable.allowed.map((allowed) => (
          <option value={allowed}>{allowed}</option>
        ))}
      </select>
    );
  }
  const number = variable.type !== "string";
  return (
    <input
      {...common}
      type={variable.secret ? "password" : "text"}
      inputMode={number ? (variable.type === "integer" && (variable.min ?? -1) >= 0 ? "numeric" : "decimal") : undefined}
      autocomplete="off"
      spellcheck={false}
      value={value}
      onInput={(event) => change(event.currentTarget.value)}
      onBlur={left}
    />
  );
}
