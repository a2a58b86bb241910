-- The highest percentage of each budget of which the operator was notified. `period`: a day or a month, as in 2026-11.
-- `budget`: its amount in micro-dollars; another amount is another budget.
CREATE TABLE budget_notices (
    period  TEXT NOT NULL,
    budget  INTEGER NOT NULL,
    percent INTEGER NOT NULL,
    PRIMARY KEY (period, budget)
) STRICT, WITHOUT ROWID;
