/** What is done with a transaction, from mild to severe: let through, let an analyst look, hold the money. */
export type DecisionAction = 'approve' | 'review' | 'hold';
