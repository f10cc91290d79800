-- The embedded bus. What is taken, acknowledged and trimmed lies together in the order in which that happens.

-- The last place that a stream ever gave out: a stream trimmed empty goes on from there. Dead letters are numbered by a
-- row of their own, 'dead-letters'.
CREATE TABLE stream_heads (
    stream   :text NOT NULL PRIMARY KEY,
    sequence :int  NOT NULL
) :clustered;

-- How far a stream has taken what a database has to tell. `batch` names the last call that moved it.
CREATE TABLE stream_sources (
    stream   :text NOT NULL,
    source   :uuid NOT NULL,
    sequence :int  NOT NULL,
    batch    :uuid,
    PRIMARY KEY (stream, source)
) :clustered;

-- The payload is carried, never looked into.
-- :because the embedded bus is one SQLite file
CREATE TABLE stream_entries (
    stream      :text NOT NULL,
    sequence    :int  NOT NULL,
    id          :uuid NOT NULL,
    tenant_id   :uuid NOT NULL,
    subject_id  :uuid NOT NULL,
    type        :text NOT NULL,
    payload     :text NOT NULL,
    trace_id    :text NOT NULL,
    occurred_at :time NOT NULL,
    version     :int  NOT NULL,
    ordinal     :int  NOT NULL,
    PRIMARY KEY (stream, sequence)
) :clustered;

CREATE TABLE stream_groups (
    stream    :text NOT NULL,
    name      :text NOT NULL,
    delivered :int  NOT NULL,
    PRIMARY KEY (stream, name)
) :clustered;

-- Given to a consumer, not acknowledged. No row lies beyond its group's `delivered`: taking relies on that.
CREATE TABLE stream_pending (
    stream       :text NOT NULL,
    name         :text NOT NULL,
    sequence     :int  NOT NULL,
    consumer     :text NOT NULL,
    delivered_at :time NOT NULL,
    deliveries   :int  NOT NULL,
    PRIMARY KEY (stream, name, sequence)
) :clustered;

-- A group's oldest, over all of its streams.
CREATE INDEX stream_pending_by_age ON stream_pending (name, delivered_at, stream, sequence);

-- :because the embedded bus is one SQLite file
CREATE TABLE dead_letters (
    number      :int  NOT NULL PRIMARY KEY,
    name        :text NOT NULL,
    why         :text NOT NULL,
    tries       :int  NOT NULL,
    buried_at   :time NOT NULL,
    stream      :text NOT NULL,
    sequence    :int  NOT NULL,
    id          :uuid NOT NULL,
    tenant_id   :uuid NOT NULL,
    subject_id  :uuid NOT NULL,
    type        :text NOT NULL,
    payload     :text NOT NULL,
    trace_id    :text NOT NULL,
    occurred_at :time NOT NULL,
    version     :int  NOT NULL,
    ordinal     :int  NOT NULL
) :clustered;

CREATE INDEX dead_letters_by_age ON dead_letters (buried_at, number);
