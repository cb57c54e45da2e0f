using Lifeboat.Engine.Sources.Local;
using Lifeboat.Engine.Sources.Postgres.Catalogue;
using Lifeboat.Engine.Sources.Postgres.Sql;

namespace Lifeboat.Engine.Sources.Postgres.Capture;

/// <summary>The chapter of <c>restore_instructions.md</c> on one database.</summary>
internal static class PostgresInstructions
{
    public static string Write(PostgresDetails details, string folder, int toolsMajor)
    {
        string name = NameText.Decode(details.Database.Name, details);
        string passwords = details.RolePasswords
            ? "with their passwords"
            : "WITHOUT their passwords (the backup's user could not read them): set them with `ALTER ROLE … PASSWORD` afterwards";
        return $"""
            ### {folder[(folder.LastIndexOf('/') + 1)..]}: PostgreSQL database

            This is the PostgreSQL database {SqlText.Identifier(name)} (server version {details.ServerVersion}, encoding {details.ServerEncoding}).
            You need `psql` of PostgreSQL {toolsMajor} or later, and a server of version {details.ServerVersionNumber / 10000} or later
            {Extensions(details)}. Say which server, and a superuser of it (`psql` asks for a password, or takes it from `PGPASSWORD` or `~/.pgpass`):

            ```sh
            export PGHOST=/var/run/postgresql PGPORT=5432 PGUSER=postgres
            ```

            ```sh
            (cd {ShellWord(folder)} &&
            psql -X -q -d postgres -f globals.sql &&
            psql -X -q -v ON_ERROR_STOP=1 -d postgres -f database.sql &&
            psql -X -q -v ON_ERROR_STOP=1 -d {ShellWord(DatabaseArgument(name))} -f restore.sql)
            ```

            - `globals.sql` creates the server's roles, {passwords}. "role … already exists" is no harm: roles that exist stay, and the
              statements after it set their attributes to what they were.
            - `database.sql` creates the database under its own name, with owner, rights and settings. To restore beside an existing one, run
              `createdb -T template0 -E {details.Database.Encoding} NEW_NAME` instead, and name NEW_NAME in the last command.
            - `restore.sql` creates the schema, loads every table's rows (`data/`), sequences and large objects, then makes indexes,
              constraints, triggers and rights. It stops at the first error; drop the database and start again after mending it.

            The schema alone is also in `schema.dump`, for `pg_restore`. `metadata.json` has each table's number of rows.

            """;
    }

    private static string Extensions(PostgresDetails details)
    {
        string[] extensions = [.. details.Extensions.Where(static e => e.Name != "plpgsql").Select(static e => $"{e.Name} {e.Version}")];
        return extensions.Length == 0 ? "(no extensions are needed)" : $"with these extensions installed: {string.Join(", ", extensions)}";
    }

    /// <summary>psql takes a name with <c>=</c> or a URI's beginning for a connection string, so such a name is written as one.</summary>
    private static string DatabaseArgument(string name) =>
        name.Contains('=', StringComparison.Ordinal) || name.Contains("://", StringComparison.Ordinal)
            ? $"postgresql:///{Uri.EscapeDataString(name)}"
            : name;

    private static string ShellWord(string text) =>
        text.Length > 0 && text.All(static c => char.IsAsciiLetterOrDigit(c) || c is '/' or '_' or '-' or '.')
        ? text
        : ShellQuote.Of(text);
}
