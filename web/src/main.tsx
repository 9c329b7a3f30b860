import "./style/base.css";
import "./style/parts.css";
import "./style/launcher.css";
import "./style/cards.css";
import "./style/cover.css";
import "./style/desktop.css";

import { render } from "preact";

import { Api } from "./api";
import { App } from "./app";
import { base } from "./base";
import { Memory } from "./remember";
import { SessionTokens } from "./tokens";

render(<App api={new Api(base, new SessionTokens())} memory={new Memory(localStorage)} root={base} />, document.getElementById("app")!);
