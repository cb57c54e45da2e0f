namespace Lifeboat.Engine.Apps.Keys;

/// <summary>
/// Every key of <c>lifeboat.yaml</c>: the one table that the validator, the JSON schema and the hints are made from.
/// </summary>
internal static class AppFileKeys
{
    private const string SecretSchemes = "(env|file|command|credential):.";

    /// <summary>A secret's place.</summary>
    private static readonly TextShape SecretShape = new(
        "Where the secret is kept: env:NAME, file:PATH, command:PROGRAM ARGS or credential:NAME. Never the secret itself.", "env:NAME")
    {
        Pattern = "^" + SecretSchemes,
        Rule = TextRules.Secret,
        IsSecret = true,
    };

    private static readonly Key StallLimit = new("stall_limit", new TextShape(
        "How long nothing may come or go over a connection before the server is asked, over another one, whether it still works: minutes or hours; 5m where it is left out.", "5m")
    {
        Pattern = "^[1-9][0-9]{0,4}[mhdw]$",
        Rule = TextRules.Period,
    });

    private static readonly TypeVariant Postgres = new("postgres", new MapShape(
        "One PostgreSQL database, with the roles, grants and settings it needs.",
        [
            new("url", new TextShape(
                "A libpq connection URI without a password, or a secret reference to a whole one.", "postgresql://user@host:5432/database")
            {
                Pattern = "^(postgres(ql)?://.|" + SecretSchemes + ")",
                Rule = TextRules.PostgresUrlOrSecret,
                IsSecret = true,
            }, "write `url: \"postgresql://user@host:5432/database\"`, without a password"),
            new("password", SecretShape with { Description = "The password of the URL's user. " + SecretShape.Description }),
            new("via", new ListShape(
                "A command prefix that reaches the server's own client programs, such as [docker, exec, -i, db].",
                new TextShape("One word of the prefix.", "docker") { Rule = TextRules.CommandWord })),
            new("tablespaces", new TextMapShape(
                "Directories on the server for tablespaces that a restore has to create where theirs are not, by the tablespaces' names.", "tablespace",
                new TextShape("A directory on the server: there, empty, and its user's own.", "/mnt/fast") { Rule = TextRules.ServerDirectory })),
            StallLimit,
            RedactedColumns("public.users.api_key", TextRules.SchemaTableColumn),
            NeutralStatements("`odoo` stands for the built-in list.", TextRules.NeutralSqlOrList),
        ]));

    private static readonly TypeVariant MySql = new("mysql", new MapShape(
        "One MySQL or MariaDB database, with the accounts, roles and grants it needs.",
        [
            new("url", new TextShape(
                "A URL without a password, or a secret reference to a whole one.", "mysql://user@host:3306/database")
            {
                Pattern = "^((mysql|mariadb)://.|" + SecretSchemes + ")",
                Rule = TextRules.MySqlUrlOrSecret,
                IsSecret = true,
            }, "write `url: \"mysql://user@host:3306/database\"`, without a password"),
            new("password", SecretShape with { Description = "The password of the URL's user. " + SecretShape.Description }),
            new("via", new ListShape(
                "A command prefix that reaches the server's own client program, such as [docker, exec, -i, db].",
                new TextShape("One word of the prefix.", "docker") { Rule = TextRules.CommandWord })),
            new("accounts", new ChoiceShape(
                "Which accounts are in the snapshot: related (the default: those with rights in the database, and its definers) or all of the server's.",
                ["related", "all"])),
            StallLimit,
            RedactedColumns("users.api_key", TextRules.TableColumn),
            NeutralStatements("", TextRules.NeutralSql),
        ]));

    private static readonly TypeVariant Sqlite = new("sqlite", new MapShape(
        "One SQLite database file.",
        [new("path", PathShape("The database file; relative to the app file.", "data/app.db"), "write `path: data/app.db`"),
        RedactedColumns("users.api_key", TextRules.TableColumn),
        NeutralStatements("", TextRules.NeutralSql)]));

    private static readonly TypeVariant Chroma = new("chroma", new MapShape(
        "One Chroma persist directory.",
        [new("path", PathShape("The folder that Chroma's --path or persist_directory names; relative to the app file.", "chroma_data"), "write `path: chroma_data`")]));

    private static readonly TypeVariant Files = new("files", new MapShape(
        "A folder with everything below it.",
        [
            new("path", PathShape("The folder; relative to the app file.", "uploads"), "write `path: uploads`"),
            new("exclude", new ListShape(
                "Globs relative to the folder: * and ? within a name, ** across folders.",
                new TextShape("One glob.", "**/*.tmp") { MaxLength = 1000, Rule = TextRules.Glob }) { Unique = true }),
            new("attributes", new ChoiceShape(
                "Whether to warn (the default) of ACLs and extended attributes, which are not carried, or to ignore them.", ["warn", "ignore"])),
            new("redact", new ListShape(
                "Globs like those of exclude: files that are captured without their content, as empty ones.",
                new TextShape("One glob.", "secrets/**") { MaxLength = 1000, Rule = TextRules.Glob }) { Unique = true }),
        ]));

    private static readonly TypeVariant Settings = new("settings", new MapShape(
        "Settings files and environment variables.",
        [
            new("files", new ListShape(
                "Settings files, kept byte for byte; relative to the app file.", PathShape("One file.", ".env")) { Unique = true }),
            new("environment", new ListShape(
                "Names of environment variables to keep. Their values are taken when a backup runs.",
                new TextShape("One name.", "API_KEY") { MaxLength = 255, Pattern = "^[A-Za-z_][A-Za-z0-9_]*$", Rule = TextRules.VariableName })
                { Unique = true }),
            new("redact", new ListShape(
                "Names whose values are not captured: in settings files (.env, INI, JSON) and of environment variables.",
                new TextShape("One name.", "SECRET_KEY") { MaxLength = 255, Rule = TextRules.SettingName }) { Unique = true }),
            new("neutralize", new TextMapShape(
                "Values that a restore to another place, or with --neutralize, gives to settings, by their names.", "setting",
                new TextShape("The value.", "\"false\"")) { NameRule = TextRules.SettingName, Example = "MAIL_ENABLED" }),
        ])
    {
        AtLeastOneOf = ["files", "environment"],
    });

    private static readonly TextShape HookCommand = new(
        "One command: a program and its arguments, without a shell; its folder is the app file's.", "systemctl stop shop") { Rule = TextRules.Command };

    private static readonly MapShape Hooks = new(
        "Commands that are run around a backup and around a restore's switch.",
        [
            new("before_backup", new ListShape("Before the first cut is opened; a failure stops the backup.", HookCommand)),
            new("after_backup", new ListShape("When the bundle is complete, or the backup has failed.", HookCommand)),
            new("before_commit", new ListShape("When a restore is staged and verified, just before the switch; a failure takes the restore back.", HookCommand)),
            new("after_commit", new ListShape("When all is switched, just before the commit point; a failure takes the restore back.", HookCommand)),
            new("after_rollback", new ListShape("When a restore was taken back.", HookCommand)),
        ]);

    /// <summary>The whole file.</summary>
    public static MapShape Root { get; } = new(
        "What Lifeboat backs up as one application.",
        [
            new("app", new TextShape("The application's name; part of every bundle's name.", "shop")
            {
                MaxLength = 64,
                Pattern = "^[A-Za-z0-9_][A-Za-z0-9._-]{0,63}$",
                Rule = TextRules.AppName,
            }, "write `app: NAME`; bundles are named after it"),
            new("sources", new NamedMapShape(
                "Everything the application keeps, by names of your choice.", "source", "main: {type: sqlite, path: data/app.db}",
                new TypedMapShape("One store of the application's state.", [Postgres, MySql, Sqlite, Chroma, Files, Settings])),
                "write at least one source, such as `main: {type: sqlite, path: data/app.db}`, under `sources:`"),
            new("stores", new NamedMapShape(
                "Where bundles are kept, by names of your choice.", "store", "local: {path: ./backups}",
                new MapShape("A directory of bundles.",
                    [new("path", PathShape("The directory; relative to the app file.", "./backups"), "write `path: ./backups`")])
                {
                    Later = ["url", "endpoint", "region", "access_key", "secret_key"],
                }),
                "write at least one store, such as `local: {path: ./backups}`, under `stores:`"),
            new("encryption", new WordOrMapShape(
                "How bundles are encrypted: {password: REFERENCE}, or none.", "none",
                new MapShape("Encryption with a password.", [new("password", SecretShape with
                {
                    Description = "The password that opens bundles. " + SecretShape.Description,
                }, "write `password: \"file:lifeboat.passphrase\"` or another secret reference")])),
                "write `encryption: {password: \"env:LIFEBOAT_PASSWORD\"}`, or `encryption: none` to do without"),
            new("compression", new ChoiceShape(
                "zstd (the default: fast and small) or deflate (older programs open the bundle too).", ["zstd", "deflate"])),
            new("host", new TextShape(
                "The name under which this installation's snapshots are told from those of others in the same store; "
                + "left out, each state folder has an id.", "shop-1")
            {
                MaxLength = 64, Pattern = "^[A-Za-z0-9][A-Za-z0-9._-]*$", Rule = TextRules.HostName,
            }),
            new("workers", new NumberShape("How many streams are worked on at once; one for each core where it is left out.", 1, 64)),
            new("keep_previous", new TextShape(
                "How long a restore's previous state is kept for an undo: minutes, hours, days or weeks; until `lifeboat discard` where it is left out.", "7d")
            {
                Pattern = "^[1-9][0-9]{0,4}[mhdw]$",
                Rule = TextRules.Period,
            }),
            new("references", new MapListShape(
                "Columns whose values name files: what the captured rows name is looked for again at the end of the files' capture, and what is missing is told.",
                "{column: main/public.ir_attachment.store_fname, files: filestore}",
                new MapShape(
                    "One column.",
                    [
                        new("column", new TextShape(
                            "The column: source/schema.table.column (PostgreSQL) or source/table.column.", "main/public.ir_attachment.store_fname")
                            { MaxLength = 400, Rule = TextRules.ReferringColumn }, "write `column: main/public.ir_attachment.store_fname`"),
                        new("files", new TextShape("The source of type files that has the files; values are paths relative to it.", "filestore") { MaxLength = 40 },
                            "write `files: filestore`, with the name of a source of type `files`"),
                    ]))),
            new("hooks", Hooks),
            new("pass_environment", new ListShape(
                "Environment variables that hooks and the programs of `command:` secrets get beside the usual few; no secret that `env:` names.",
                new TextShape("One name.", "VAULT_ADDR") { MaxLength = 255, Pattern = "^[A-Za-z_][A-Za-z0-9_]*$", Rule = TextRules.VariableName })
            {
                Unique = true,
            }),
            new("restore_check", new MapShape(
                "Behind a backup, databases' definitions are restored without rows into a scratch database and compared.",
                [
                    new("when", new ChoiceShape(
                        "changed: where definitions are not those that were tried last; always: behind every backup.", ["changed", "always"]),
                        "write `when: changed`, or `when: always`"),
                    new("targets", new TextMapShape(
                        "Servers to try it on, by sources: URLs. Where a source has none, on its own server, beside its database.", "source",
                        new TextShape("A URL without a password.", "postgresql://user@host:5432/scratch"))),
                ])),
            new("tools", new MapShape(
                "Folders to look for an engine's client programs in first.",
                [new("postgres", PathShape(
                    "The folder with psql, pg_dump, pg_dumpall and pg_restore; relative to the app file.", "/usr/lib/postgresql/17/bin")),
                new("mysql", PathShape("The folder with mariadb or mysql; relative to the app file.", "/usr/local/mysql/bin"))])),
        ])
    {
        Later = ["retention", "schedule"],
    };

    private static Key RedactedColumns(string example, Func<string, Fault?> rule) => new("redact", new TextMapShape(
        "Columns whose values are not captured, and what is captured instead.", "column",
        new TextShape("null; mask: letters and digits become x, X and 0; hash: 32 hex digits; or constant:TEXT. NULL stays NULL.", "null")
        {
            TakesNull = true, Pattern = "^(null|mask|hash|constant:(.|\\n)*)$", Rule = TextRules.Replacement,
        }) { NameRule = rule, Example = example });

    private static Key NeutralStatements(string more, Func<string, Fault?> rule) => new("neutralize", new ListShape(
        $"SQL statements that a restore to another place, or with --neutralize, runs before it switches. {more}".TrimEnd(),
        new TextShape("One statement.", "UPDATE mail_server SET active = false") { MaxLength = 100_000, Rule = rule }));

    private static TextShape PathShape(string description, string example) => new(description, example) { Rule = TextRules.Path };
}
