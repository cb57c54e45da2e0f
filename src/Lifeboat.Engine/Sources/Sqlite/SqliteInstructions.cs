using Lifeboat.Engine.Sources.Local;

namespace Lifeboat.Engine.Sources.Sqlite;

/// <summary>How a database is restored by hand.</summary>
internal static class SqliteInstructions
{
    public static string Write(string source, SqliteDetails details)
    {
        string name = ShellQuote.Of(Path.GetFileName(details.Path));
        string target = $"\"$RESTORED\"/{source}/{name}";
        return $"""
            ### {source}: SQLite database

            Captured from `{details.Path.Replace('`', '\'')}`. `{details.File}` is the database itself, whole in one file; `sqlite3` opens it
            as it is.

            ```sh
            grep ' {details.File}$' checksums.sha256 | sha256sum -c -
            sqlite3 'file:{details.File}?immutable=1' 'PRAGMA integrity_check'
            mkdir -p "$RESTORED"/{source}
            cp {details.File} {target}
            {string.Join('\n', details.Traits.Commands(target))}
            ```

            Then stop the application, move its database away **together with the files of the same name that end in `-wal`, `-shm` and
            `-journal`** (an old one of these beside the restored file would damage it), and move the restored one to where it belongs:
            `mv -n {target} {ShellQuote.Of(details.Path)}`.

            """;
    }
}
