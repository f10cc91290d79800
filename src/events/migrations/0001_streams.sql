-- The embedded bus.
CREATE TABLE stream_heads (
    stream   :text NOT NULL PRIMARY KEY,
    sequence :int  NOT NULL
) :clustered;
