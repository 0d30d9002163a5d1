-- How books are offered, and by whom they are published. NULL: not known.

-- Units that can be sold; NULL also for what is not counted, as e-books are not.
ALTER TABLE books ADD COLUMN stock INTEGER CHECK (stock BETWEEN 0 AND 4294967295);

-- In the smallest unit of the currency (ISO 4217): both are there, or neither.
ALTER TABLE books ADD COLUMN price_minor INTEGER CHECK (price_minor >= 0);
ALTER TABLE books ADD COLUMN currency TEXT CHECK ((currency IS NULL) = (price_minor IS NULL));

-- The age in years from which it is meant to be read.
ALTER TABLE books ADD COLUMN age_min INTEGER CHECK (age_min BETWEEN 0 AND 255);

ALTER TABLE books ADD COLUMN publisher TEXT;
