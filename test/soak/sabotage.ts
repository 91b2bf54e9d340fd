/** What the soak orders and the saboteur does. */

/** `throw`: an uncaught error in a listener thread. `terminate`: the end of one of a listener's verify workers. */
export type Sabotage = 'throw' | 'terminate';

/** The error that a listener throws on order; any other is its own. */
export const sabotageMessage = 'sabotage by the soak';
