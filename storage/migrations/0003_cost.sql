-- What the provider says that it charged, in US dollars.
ALTER TABLE jobs ADD COLUMN cost_usd REAL;
