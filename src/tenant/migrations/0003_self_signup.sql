-- May people register themselves with this tenant?
ALTER TABLE tenant_settings ADD COLUMN self_signup :bool NOT NULL DEFAULT FALSE;
