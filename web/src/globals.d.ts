/** The package's version, put in by the build. */
declare const DUOLOGUE_VERSION: string;
