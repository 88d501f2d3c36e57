/** Style sheets are bundled into app.css beside the script. */
declare module '*.css';
