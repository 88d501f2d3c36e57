export const VERSION: string = DUOLOGUE_VERSION;
