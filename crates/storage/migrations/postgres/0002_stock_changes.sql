-- The latest changes of stock, by the ids of the requests that asked for them, so that one that is
-- sent again changes nothing.
CREATE TABLE stock_changes (
    shop_id     integer NOT NULL,
    request_id  text COLLATE "C" NOT NULL, -- the client's own
    book_number integer NOT NULL CHECK (book_number >= 1),
    change      integer NOT NULL CHECK (change <> 0),
    sequence    bigint  NOT NULL, -- counts up within the shop
    PRIMARY KEY (shop_id, request_id)
);

CREATE INDEX stock_changes_by_sequence ON stock_changes (shop_id, sequence);
