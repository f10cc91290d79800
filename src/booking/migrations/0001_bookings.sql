-- Bookings. Times are UTC microseconds, periods half-open. Clustered: on SQLite a booking is found by its tenant and id
-- in one descent, on one page.
CREATE TABLE bookings (
    tenant_id           :uuid NOT NULL,
    id                  :uuid NOT NULL,
    resource_id         :uuid NOT NULL,
    user_id             :uuid NOT NULL,
    client_id           :uuid,
    start_time          :time NOT NULL,
    end_time            :time NOT NULL,
    status              :text NOT NULL,
    notes               :text,
    confirmation_code   :text NOT NULL,
    recurring_enabled   :bool NOT NULL,
    recurring_pattern   :json,
    cancellation_reason :text,
    cancelled_at        :time,
    cancelled_by        :text,
    version             :int  NOT NULL,
    change_id           :uuid NOT NULL,
    created_at          :time NOT NULL,
    updated_at          :time NOT NULL,
    deleted_at          :time,
    PRIMARY KEY (tenant_id, id)
) :clustered;

CREATE UNIQUE INDEX bookings_code ON bookings (tenant_id, confirmation_code);

CREATE INDEX bookings_id ON bookings (id);

-- What blocks time: the search for overlaps reads this index and nothing else. It holds the status for SQLite, which
-- looks into the table for it although the index has only rows of these two.
CREATE INDEX bookings_active ON bookings (tenant_id, resource_id, start_time, end_time, id, status)
 WHERE status IN ('pendente', 'confirmado');

-- With the end and the status: a list from a day on begins 26 hours earlier, and what has ended by then, or has another
-- status than is asked for, is left out without a look at its row.
CREATE INDEX bookings_by_start ON bookings (tenant_id, start_time, id, end_time, status);

CREATE INDEX bookings_by_user ON bookings (tenant_id, user_id, start_time, id);

CREATE INDEX bookings_by_resource ON bookings (tenant_id, resource_id, start_time, id);

-- Whoever books a resource takes its row first: two who want one hour queue up here.
CREATE TABLE resource_locks (
    tenant_id   :uuid NOT NULL,
    resource_id :uuid NOT NULL,
    version     :int  NOT NULL,
    PRIMARY KEY (tenant_id, resource_id)
) :clustered;

-- Events leave with the change that made them, and are sent on from here.
CREATE TABLE booking_outbox (
    tenant_id  :uuid NOT NULL,
    id         :uuid NOT NULL,
    stream     :text NOT NULL,
    type       :text NOT NULL,
    subject_id :uuid NOT NULL,
    version    :int  NOT NULL,
    ordinal    :int  NOT NULL,
    payload    :json NOT NULL,
    trace_id   :text NOT NULL,
    created_at :time NOT NULL,
    sequence   :int,
    PRIMARY KEY (tenant_id, id)
) :strict;

CREATE INDEX booking_outbox_waiting ON booking_outbox (created_at, subject_id, ordinal) WHERE sequence IS NULL;
