-- The shop's rules: what it pins, boosts and buries. Times are milliseconds since 1970-01-01 UTC.

-- Counts up with every commit that changes a rule, so that a server can look for changes cheaply.
ALTER TABLE shops ADD COLUMN rules_revision INTEGER NOT NULL DEFAULT 0;

CREATE TABLE rules (
    shop_id     INTEGER NOT NULL,
    id          TEXT    NOT NULL, -- the shop's own
    -- What it is about: 1 = a book, by the shop's id; 2 = an author, 3 = a series, by name;
    -- 4 = a category, by slug. It need not be in books yet.
    target_kind INTEGER NOT NULL CHECK (target_kind BETWEEN 1 AND 4),
    target      TEXT    NOT NULL,
    -- What becomes of it: 1 = pinned to a place, 2 = scores multiplied by a factor, 3 = comes
    -- last, 4 = does not come. Only a book can be pinned.
    effect      INTEGER NOT NULL CHECK (effect BETWEEN 1 AND 4),
    place       INTEGER CHECK ((place IS NULL) = (effect <> 1) AND place BETWEEN 1 AND 100),
    factor      REAL    CHECK ((factor IS NULL) = (effect <> 2) AND factor > 0 AND factor <= 100),
    -- The shelves that it is for, added up: 1 = recommended, 2 = similar, 4 = trending; 0 = all.
    surfaces    INTEGER NOT NULL CHECK (surfaces BETWEEN 0 AND 7),
    starts_ms   INTEGER,          -- NULL: since ever
    ends_ms     INTEGER,          -- the first moment at which it does not hold; NULL: for ever
    note        TEXT,             -- for people
    PRIMARY KEY (shop_id, id),
    CHECK (effect <> 1 OR target_kind = 1),
    CHECK (starts_ms IS NULL OR ends_ms IS NULL OR starts_ms < ends_ms)
) STRICT, WITHOUT ROWID;
