-- Of whoever signed up himself: nobody has shown yet that the address is his. An identity provider may show that it is
-- another's (auth/oidc_account.c).
ALTER TABLE users ADD COLUMN address_unproved :bool NOT NULL DEFAULT FALSE;
