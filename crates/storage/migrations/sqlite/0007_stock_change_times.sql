-- When each change of stock was made, in milliseconds since 1970, so that none is forgotten soon.
ALTER TABLE stock_changes ADD COLUMN made_ms INTEGER NOT NULL DEFAULT 0;
