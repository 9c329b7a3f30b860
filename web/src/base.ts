/**
 * Where Sage lives, ending with a slash: "https://host/" or, behind a proxy,
 * "https://host/some/path/". Read once, because a relative <base> would be
 * resolved anew after each pushState.
 */
export const base: URL = new URL(document.baseURI);
