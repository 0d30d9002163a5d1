-- The latest changes of stock, by the ids of the requests that asked for them, so that one that is
-- sent again changes nothing.
CREATE TABLE stock_changes (
    shop_id     INTEGER NOT NULL,
    request_id  TEXT    NOT NULL, -- the client's own
    book_number INTEGER NOT NULL CHECK (book_number BETWEEN 1 AND 2147483647),
    change      INTEGER NOT NULL CHECK (change <> 0),
    sequence    INTEGER NOT NULL, -- counts up within the shop
    PRIMARY KEY (shop_id, request_id)
) STRICT, WITHOUT ROWID;

CREATE INDEX stock_changes_by_sequence ON stock_changes (shop_id, sequence);
