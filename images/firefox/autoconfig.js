// Makes Firefox read sage.cfg at every start.
pref("general.config.filename", "sage.cfg");
pref("general.config.obscure_value", 0);
