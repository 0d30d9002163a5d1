-- The first schema of a store in PostgreSQL: what migrations 0001 to 0005 of SQLite make, and the
-- models. It runs with search_path set to the store's own schema.
--
-- Every table carries shop_id, although there is one shop for now. Numbers are those of the
-- recommender: 1 to 2^31 - 1; from 2^30 up they are assigned here. Times are milliseconds since
-- 1970-01-01 UTC. Texts whose order counts are ordered by their bytes.

-- 'FWRD': lets the store refuse a schema of that name that is not its own.
CREATE TABLE application (
    id bigint PRIMARY KEY CHECK (id = 1180127812)
);

INSERT INTO application (id) VALUES (1180127812);

-- Which files of migrations/postgres have run.
CREATE TABLE migrations (
    version    bigint PRIMARY KEY CHECK (version >= 1),
    name       text NOT NULL,
    applied_at timestamptz NOT NULL DEFAULT now()
);

-- Whoever writes locks the shop's row first, so that there is one writer of a shop at a time, in
-- whichever process, and revisions are in the order of commits.
CREATE TABLE shops (
    shop_id            integer PRIMARY KEY CHECK (shop_id >= 1),
    -- Count up with every commit that changes a book; a rule; an API key.
    catalogue_revision bigint  NOT NULL DEFAULT 0,
    rules_revision     bigint  NOT NULL DEFAULT 0,
    api_keys_revision  bigint  NOT NULL DEFAULT 0,
    -- Counts up with every commit that touches a user's events or merges users; users.revision is
    -- the value after the commit that last touched the user.
    events_revision    bigint  NOT NULL DEFAULT 0,
    -- Counts up with every commit that deletes a user.
    removals_revision  bigint  NOT NULL DEFAULT 0,
    -- How many events were stored, retracted and deleted, ever.
    event_changes      bigint  NOT NULL DEFAULT 0,
    -- True once a simulated event was stored, and for ever after.
    simulated          boolean NOT NULL DEFAULT false,
    -- The rules by which book_words was filled; 0: not yet. The program fills it anew if its own
    -- rules are others.
    words_version      bigint  NOT NULL DEFAULT 0
);

INSERT INTO shops (shop_id) VALUES (1);

-- Ids which are not their own number. space: 1 = user, 2 = book.
CREATE TABLE assigned_ids (
    shop_id integer  NOT NULL,
    space   smallint NOT NULL CHECK (space IN (1, 2)),
    number  integer  NOT NULL CHECK (number >= 1073741824),
    id      text COLLATE "C" NOT NULL,
    PRIMARY KEY (shop_id, space, number),
    UNIQUE (shop_id, space, id)
);

-- The next number to assign. Only ever counts up: a number is never given twice, not even after
-- its user or book was deleted. 2^31 means that none is left.
CREATE TABLE id_sequences (
    shop_id     integer  NOT NULL,
    space       smallint NOT NULL CHECK (space IN (1, 2)),
    next_number bigint   NOT NULL CHECK (next_number BETWEEN 1073741824 AND 2147483648),
    PRIMARY KEY (shop_id, space)
);

INSERT INTO id_sequences (shop_id, space, next_number)
VALUES (1, 1, 1073741824), (1, 2, 1073741824);

CREATE TABLE books (
    shop_id        integer NOT NULL,
    number         integer NOT NULL CHECK (number >= 1),
    title          text    NOT NULL,
    authors        text    NOT NULL, -- one a line
    published_year integer,
    language       text,
    categories     text    NOT NULL, -- slugs, a space between
    series         text,
    volume         double precision, -- its place in the series; 1.5 lies between 1 and 2
    work           text,             -- what all editions of one work have in common
    isbn13         bigint,
    cover_url      text,
    publisher      text,
    -- Units that can be sold; NULL also for what is not counted, as e-books are not.
    stock          bigint CHECK (stock BETWEEN 0 AND 4294967295),
    -- In the smallest unit of the currency (ISO 4217): both are there, or neither.
    price_minor    bigint CHECK (price_minor >= 0),
    currency       text   CHECK ((currency IS NULL) = (price_minor IS NULL)),
    -- The age in years from which it is meant to be read.
    age_min        smallint CHECK (age_min BETWEEN 0 AND 255),
    -- The catalogue's revision after the commit that last changed this row.
    revision       bigint NOT NULL,
    PRIMARY KEY (shop_id, number)
);

CREATE INDEX books_by_isbn13 ON books (shop_id, isbn13) WHERE isbn13 IS NOT NULL;

CREATE INDEX books_by_revision ON books (shop_id, revision);

-- The words of each book, folded by the program: those of its title weigh A, names weigh B.
CREATE TABLE book_words (
    shop_id integer  NOT NULL,
    number  integer  NOT NULL CHECK (number >= 1),
    words   tsvector NOT NULL,
    PRIMARY KEY (shop_id, number)
);

-- Without a list of what is new, which every search would have to read through.
CREATE INDEX book_words_by_word ON book_words USING gin (words) WITH (fastupdate = off);

-- Books that were deleted and not stored again.
CREATE TABLE deleted_books (
    shop_id  integer NOT NULL,
    number   integer NOT NULL CHECK (number >= 1),
    -- The catalogue's revision after the commit that deleted it.
    revision bigint  NOT NULL,
    PRIMARY KEY (shop_id, number)
);

CREATE INDEX deleted_books_by_revision ON deleted_books (shop_id, revision);

-- One row for every user who has events. Updated all day: swept early, before the table has grown
-- by a fifth.
CREATE TABLE users (
    shop_id  integer NOT NULL,
    number   integer NOT NULL CHECK (number >= 1),
    revision bigint  NOT NULL,
    PRIMARY KEY (shop_id, number)
) WITH (autovacuum_vacuum_scale_factor = 0.05);

-- Whom did recent commits touch?
CREATE INDEX users_by_revision ON users (shop_id, revision);

-- Users who became part of another one, and have no events of their own since. No number stands on
-- both sides.
CREATE TABLE merged_users (
    shop_id     integer NOT NULL,
    number      integer NOT NULL CHECK (number >= 1),
    into_number integer NOT NULL CHECK (into_number >= 1),
    PRIMARY KEY (shop_id, number),
    CHECK (number <> into_number)
);

CREATE INDEX merged_users_by_into ON merged_users (shop_id, into_number);

-- Telling a repeated event, reading a history and deleting a user all use the primary key. An
-- event may name a book that has no row in books: it is joined when the book arrives. The widest
-- columns of a fixed width come first, so that no row has gaps.
CREATE TABLE events (
    time_ms           bigint,           -- when it happened, if anybody knows
    recorded_ms       bigint   NOT NULL, -- when the store got it
    shop_id           integer  NOT NULL,
    user_number       integer  NOT NULL CHECK (user_number >= 1),
    book_number       integer  NOT NULL CHECK (book_number >= 1),
    kind              smallint NOT NULL CHECK (kind BETWEEN 1 AND 9),
    half_stars        smallint,
    origin            smallint NOT NULL CHECK (origin IN (1, 2, 3)), -- client, import, simulated
    retracted         boolean  NOT NULL DEFAULT false,
    event_id          bytea    NOT NULL CHECK (octet_length(event_id) BETWEEN 1 AND 64),
    attribution_token text,
    PRIMARY KEY (shop_id, user_number, event_id),
    -- A rating (kind 6) has 2 to 10 half stars; nothing else has any.
    CHECK (CASE WHEN kind = 6 THEN half_stars IS NOT NULL AND half_stars BETWEEN 2 AND 10
                ELSE half_stars IS NULL END)
);

-- Books that users were shown: only the latest of a shop, told by their sequence. Event ids are
-- apart from those of events.
CREATE TABLE impressions (
    time_ms           bigint  NOT NULL,
    recorded_ms       bigint  NOT NULL,
    sequence          bigint  NOT NULL, -- counts up within the shop; has gaps
    shop_id           integer NOT NULL,
    user_number       integer NOT NULL CHECK (user_number >= 1),
    book_number       integer NOT NULL CHECK (book_number >= 1),
    event_id          bytea   NOT NULL CHECK (octet_length(event_id) BETWEEN 1 AND 64),
    attribution_token text,
    PRIMARY KEY (shop_id, user_number, event_id)
) WITH (autovacuum_vacuum_scale_factor = 0.05);

CREATE INDEX impressions_by_sequence ON impressions (shop_id, sequence);

-- API keys: who may call the service, and as what. Rows stay after a key was revoked or has
-- expired: its id is in logs and must not name another.
CREATE TABLE api_keys (
    shop_id       integer NOT NULL,
    id            text COLLATE "C" NOT NULL, -- in logs and in the key itself; no secret
    name          text    NOT NULL, -- what the operator calls it
    roles         text    NOT NULL, -- names, a space between
    -- SHA-256 of the secret, which is 256 random bits: nobody can try them all, so that a slow
    -- hash, as passwords need it, would only cost.
    secret_sha256 bytea   NOT NULL,
    created_ms    bigint  NOT NULL,
    expires_ms    bigint,
    revoked_ms    bigint,
    PRIMARY KEY (shop_id, id)
);

-- The shop's rules: what it pins, boosts and buries.
CREATE TABLE rules (
    shop_id     integer  NOT NULL,
    id          text COLLATE "C" NOT NULL, -- the shop's own
    -- What it is about: 1 = a book, by the shop's id; 2 = an author, 3 = a series, by name;
    -- 4 = a category, by slug. It need not be in books yet.
    target_kind bigint   NOT NULL CHECK (target_kind BETWEEN 1 AND 4),
    target      text     NOT NULL,
    -- What becomes of it: 1 = pinned to a place, 2 = scores multiplied by a factor, 3 = comes
    -- last, 4 = does not come. Only a book can be pinned.
    effect      bigint   NOT NULL CHECK (effect BETWEEN 1 AND 4),
    place       bigint   CHECK ((place IS NULL) = (effect <> 1) AND place BETWEEN 1 AND 100),
    factor      double precision
                CHECK ((factor IS NULL) = (effect <> 2) AND factor > 0 AND factor <= 100),
    -- The shelves that it is for, added up: 1 = recommended, 2 = similar, 4 = trending; 0 = all.
    surfaces    bigint   NOT NULL CHECK (surfaces BETWEEN 0 AND 7),
    starts_ms   bigint,           -- NULL: since ever
    ends_ms     bigint,           -- the first moment at which it does not hold; NULL: for ever
    note        text,             -- for people
    PRIMARY KEY (shop_id, id),
    CHECK (effect <> 1 OR target_kind = 1),
    CHECK (starts_ms IS NULL OR ends_ms IS NULL OR starts_ms < ends_ms)
);

-- Models: snapshot files that every replica fetches. One that is not complete is in no row here,
-- since all its pieces come with it in one transaction.
CREATE TABLE models (
    shop_id    integer NOT NULL,
    version    bigint  NOT NULL CHECK (version >= 1),
    bytes      bigint  NOT NULL CHECK (bytes >= 1),
    xxh3       bigint  NOT NULL, -- XXH3-64 of the whole file, its bits as a signed number
    created_ms bigint  NOT NULL,
    active     boolean NOT NULL,
    PRIMARY KEY (shop_id, version)
);

-- One version is active, or none.
CREATE UNIQUE INDEX models_active ON models (shop_id) WHERE active;

CREATE TABLE model_chunks (
    shop_id integer NOT NULL,
    version bigint  NOT NULL,
    place   integer NOT NULL CHECK (place >= 0), -- counts from 0; all but the last have 8 MiB
    bytes   bytea   NOT NULL,
    PRIMARY KEY (shop_id, version, place),
    FOREIGN KEY (shop_id, version) REFERENCES models ON DELETE CASCADE
);

-- What is in a chunk does not get smaller.
ALTER TABLE model_chunks ALTER COLUMN bytes SET STORAGE EXTERNAL;
