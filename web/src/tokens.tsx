import { useState } from "preact/hooks";

import type { Tokens } from "./api";
import { ask, Dialog } from "./parts/dialog";

const key = "sage-api-token";

/** Keeps the API token for this tab and asks for it in a small dialog. */
export class SessionTokens implements Tokens {
  #asking: Promise<string | null> | null = null;

  current(): string {
    return sessionStorage.getItem(key) ?? "";
  }

  ask(refused: boolean): Promise<string | null> {
    // Calls that run side by side share one dialog.
    this.#asking ??= ask<string | null>((close) => <TokenDialog refused={refused} close={close} />)
      .then((token) => {
        if (token !== null) sessionStorage.setItem(key, token);
        return token;
      })
      .finally(() => {
        this.#asking = null;
      });
    return this.#asking;
  }
}

function TokenDialog({ refused, close }: { refused: boolean; close: (token: string | null) => void }) {
  const [token, setToken] = useState("");
  return (
    <Dialog title="This Sage asks for a token" close={() => close(null)}>
      <form
        class="form"
        onSubmit={(event) => {
          event.preventDefault();
          if (token.trim()) close(token.trim());
        }}
      >
        <p id="token-note">
          {refused && <strong>The token was not accepted. </strong>}
          Whoever runs this server can give you one. It is kept until you close this tab.
        </p>
        <div class="field">
          <label for="token">Token</label>
          <input
            id="token"
            type="password"
            required
            autofocus
            autocomplete="current-password"
            aria-describedby="token-note"
            value={token}
            onInput={(event) => setToken(event.currentTarget.value)}
          />
        </div>
        <div class="actions end">
          <button type="button" class="button" onClick={() => close(null)}>
            Cancel
          </button>
          <button type="submit" class="button primary">
            Continue
          </button>
        </div>
      </form>
    </Dialog>
  );
}
