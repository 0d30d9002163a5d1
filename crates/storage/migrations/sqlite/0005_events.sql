-- What a shop needs in order to take events all day: one number for all that changed, users who
-- became one, impressions, books that are gone, and words to find books by.

-- Counts up with every commit that touches a user's events; users.revision is the value after the
-- commit that last touched the user. It goes on from the counts that users had until now.
ALTER TABLE shops ADD COLUMN events_revision INTEGER NOT NULL DEFAULT 0;
-- Counts up with every commit that deletes or merges a user.
ALTER TABLE shops ADD COLUMN removals_revision INTEGER NOT NULL DEFAULT 0;
-- How many events were stored, retracted and deleted, ever.
ALTER TABLE shops ADD COLUMN event_changes INTEGER NOT NULL DEFAULT 0;
-- The rules by which book_words was filled; 0: not yet. The program fills it anew if its own
-- rules are others.
ALTER TABLE shops ADD COLUMN words_version INTEGER NOT NULL DEFAULT 0;

UPDATE shops SET
    events_revision = (SELECT coalesce(max(revision), 0) FROM users
                       WHERE users.shop_id = shops.shop_id),
    event_changes = (SELECT count(*) + coalesce(sum(retracted), 0) FROM events
                     WHERE events.shop_id = shops.shop_id);

-- Whom the latest commits touched, some hundred thousand users. Written at one end and cut off at
-- the other: an index on users.revision would cost a page in a random place for every user.
CREATE TABLE touched_users (
    shop_id  INTEGER NOT NULL,
    revision INTEGER NOT NULL, -- that of the events
    -- How many users all rows up to this one named, those cut off included.
    total    INTEGER NOT NULL,
    numbers  BLOB    NOT NULL, -- ascending, four bytes each, the most significant first
    PRIMARY KEY (shop_id, revision, total)
) STRICT, WITHOUT ROWID;

-- Users who became part of another one. No number stands on both sides.
CREATE TABLE merged_users (
    shop_id     INTEGER NOT NULL,
    number      INTEGER NOT NULL CHECK (number BETWEEN 1 AND 2147483647),
    into_number INTEGER NOT NULL CHECK (into_number BETWEEN 1 AND 2147483647),
    PRIMARY KEY (shop_id, number),
    CHECK (number <> into_number)
) STRICT, WITHOUT ROWID;

CREATE INDEX merged_users_by_into ON merged_users (shop_id, into_number);

-- Books that were deleted and not stored again.
CREATE TABLE deleted_books (
    shop_id  INTEGER NOT NULL,
    number   INTEGER NOT NULL CHECK (number BETWEEN 1 AND 2147483647),
    -- The catalogue's revision after the commit that deleted it.
    revision INTEGER NOT NULL,
    PRIMARY KEY (shop_id, number)
) STRICT, WITHOUT ROWID;

CREATE INDEX deleted_books_by_revision ON deleted_books (shop_id, revision);

-- Books that users were shown: only the latest of a shop, told by their sequence. Event ids are
-- apart from those of events.
CREATE TABLE impressions (
    shop_id           INTEGER NOT NULL,
    user_number       INTEGER NOT NULL CHECK (user_number BETWEEN 1 AND 2147483647),
    event_id          BLOB    NOT NULL CHECK (event_id <> x''),
    book_number       INTEGER NOT NULL CHECK (book_number BETWEEN 1 AND 2147483647),
    time_ms           INTEGER NOT NULL,
    recorded_ms       INTEGER NOT NULL,
    attribution_token TEXT,
    sequence          INTEGER NOT NULL, -- counts up within the shop; has gaps
    PRIMARY KEY (shop_id, user_number, event_id)
) STRICT, WITHOUT ROWID;

CREATE INDEX impressions_by_sequence ON impressions (shop_id, sequence);

-- The words of each book, folded by the program; rowid = shop_id * 2^31 + number. The texts
-- themselves are not kept.
CREATE VIRTUAL TABLE book_words USING fts5 (
    title, names,
    content = '', contentless_delete = 1, tokenize = 'ascii', prefix = '1 2 3'
);
