-- What became known of an exchange after its answer had left: late answers, comparisons of shadow services.
CREATE TABLE addenda (
    id       TEXT   NOT NULL PRIMARY KEY,
    exchange TEXT   NOT NULL,
    hospital TEXT   NOT NULL,
    kind     TEXT   NOT NULL,
    note     TEXT   NOT NULL,
    at       BIGINT NOT NULL
);
CREATE INDEX addenda_of_exchange ON addenda (exchange, id);
