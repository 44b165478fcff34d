/** On the loopback of a node's network namespace: where the clock program of its server listens. */
export const CLOCK_PORT = 7073;
