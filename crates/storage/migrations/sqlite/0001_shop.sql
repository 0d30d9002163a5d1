-- The first schema of a store: one shop's books, users and events.
--
-- Every table carries shop_id, although there is one shop for now. Numbers are
-- those of the recommender: 1 to 2^31 - 1; from 2^30 up they are assigned here.
-- Times are milliseconds since 1970-01-01 UTC. Texts are UTF-8.

-- 'FWRD': lets the store refuse files of other applications. It is part of this
-- transaction, so that a file is either ours and complete, or still empty.
PRAGMA application_id = 0x46575244;

CREATE TABLE shops (
    shop_id            INTEGER NOT NULL PRIMARY KEY CHECK (shop_id >= 1),
    -- Counts up with every commit that stores or changes a book.
    catalogue_revision INTEGER NOT NULL,
    -- 1 once a simulated event was stored, and for ever after.
    simulated          INTEGER NOT NULL DEFAULT 0 CHECK (simulated IN (0, 1))
) STRICT;

INSERT INTO shops (shop_id, catalogue_revision) VALUES (1, 0);

-- Ids which are not their own number. space: 1 = user, 2 = book.
CREATE TABLE assigned_ids (
    shop_id INTEGER NOT NULL,
    space   INTEGER NOT NULL CHECK (space IN (1, 2)),
    number  INTEGER NOT NULL CHECK (number BETWEEN 1073741824 AND 2147483647),
    id      TEXT    NOT NULL,
    PRIMARY KEY (shop_id, space, number),
    UNIQUE (shop_id, space, id)
) STRICT, WITHOUT ROWID;

-- The next number to assign. Only ever counts up: a number is never given twice,
-- not even after its user or book was deleted. 2^31 means that none is left.
CREATE TABLE id_sequences (
    shop_id     INTEGER NOT NULL,
    space       INTEGER NOT NULL CHECK (space IN (1, 2)),
    next_number INTEGER NOT NULL CHECK (next_number BETWEEN 1073741824 AND 2147483648),
    PRIMARY KEY (shop_id, space)
) STRICT, WITHOUT ROWID;

INSERT INTO id_sequences (shop_id, space, next_number) VALUES (1, 1, 1073741824), (1, 2, 1073741824);

CREATE TABLE books (
    shop_id        INTEGER NOT NULL,
    number         INTEGER NOT NULL CHECK (number BETWEEN 1 AND 2147483647),
    title          TEXT    NOT NULL,
    authors        TEXT    NOT NULL, -- one a line
    published_year INTEGER,
    language       TEXT,
    categories     TEXT    NOT NULL, -- slugs, a space between
    series         TEXT,
    volume         REAL,             -- its place in the series; 1.5 lies between 1 and 2
    work           TEXT,             -- what all editions of one work have in common
    isbn13         INTEGER,
    cover_url      TEXT,
    -- The catalogue's revision after the commit that last changed this row.
    revision       INTEGER NOT NULL,
    PRIMARY KEY (shop_id, number)
) STRICT, WITHOUT ROWID;

CREATE INDEX books_by_isbn13 ON books (shop_id, isbn13) WHERE isbn13 IS NOT NULL;

CREATE INDEX books_by_revision ON books (shop_id, revision);

-- One row for every user who has events.
CREATE TABLE users (
    shop_id  INTEGER NOT NULL,
    number   INTEGER NOT NULL CHECK (number BETWEEN 1 AND 2147483647),
    -- Counts up with every commit that touches the user's events.
    revision INTEGER NOT NULL,
    PRIMARY KEY (shop_id, number)
) STRICT, WITHOUT ROWID;

-- Clustered on (user, event id), so that telling a repeated event, reading a
-- history and deleting a user all use this one B-tree. An event may name a book
-- that has no row in books: it is joined when the book arrives.
CREATE TABLE events (
    shop_id           INTEGER NOT NULL,
    user_number       INTEGER NOT NULL CHECK (user_number BETWEEN 1 AND 2147483647),
    -- 1 to 64 bytes. No CHECK here may call a function such as length: any would make
    -- SQLite save every page before every statement, which doubles an import's writes.
    event_id          BLOB    NOT NULL CHECK (event_id <> x''),
    book_number       INTEGER NOT NULL CHECK (book_number BETWEEN 1 AND 2147483647),
    kind              INTEGER NOT NULL CHECK (kind BETWEEN 1 AND 9),
    half_stars        INTEGER,
    time_ms           INTEGER,          -- when it happened, if anybody knows
    recorded_ms       INTEGER NOT NULL, -- when the store got it
    origin            INTEGER NOT NULL CHECK (origin IN (1, 2, 3)), -- client, import, simulated
    attribution_token TEXT,
    retracted         INTEGER NOT NULL DEFAULT 0 CHECK (retracted IN (0, 1)),
    PRIMARY KEY (shop_id, user_number, event_id),
    -- A rating (kind 6) has 2 to 10 half stars; nothing else has any.
    CHECK (CASE WHEN kind = 6 THEN half_stars IS NOT NULL AND half_stars BETWEEN 2 AND 10
                ELSE half_stars IS NULL END)
) STRICT, WITHOUT ROWID;
