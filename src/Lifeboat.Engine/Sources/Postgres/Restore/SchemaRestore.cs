using System.Text;
using Lifeboat.Engine.Errors;
using Lifeboat.Engine.Processes;
using Lifeboat.Engine.Sources.Postgres.Extensions;
using Lifeboat.Engine.Sources.Postgres.Sessions;
using Lifeboat.Engine.Sources.Postgres.Sql;

namespace Lifeboat.Engine.Sources.Postgres.Restore;

/// <summary>
/// Restores <c>schema.dump</c>, of which pg_restore writes the text: section by section, each statement sent by itself. One that the server takes under the database's own search path
/// alone is tried under that (the function of a generated column is looked into when its table is made).
/// </summary>
/// <param name="tablespaces">False where everything goes into the default tablespace.</param>
internal sealed class SchemaRestore(RestoreTarget target, bool tablespaces)
{
    private string Path => $"{target.Folder}/schema.dump";

    /// <summary>What comes before the rows, with what known extensions need.</summary>
    /// <param name="versions">The version of each extension that is not created in the server's default one.</param>
    public Task PreDataAsync(ExtensionRestore extensions, IReadOnlyDictionary<string, string> versions, CancellationToken cancellation)
    {
        IReadOnlyDictionary<string, string>? ids = null;
        return StatementsAsync(
            "pre-data",
            async (session, statement, token) =>
            {
                // The ids are there once the schemas are, and those stand before the views.
                if (ids is null && extensions.Edits(statement))
                    ids = await extensions.IdsAsync(session, token);
                return extensions.StatementsFor(statement, versions, id => SqlText.Literal(ids?.GetValueOrDefault(id) ?? id));
            },
            cancellation);
    }

    /// <summary>pg_restore writes a section's text, and a session runs its statements one by one.</summary>
    /// <param name="runs">Gives what is run for a statement; texts have a character for each byte.</param>
    private async Task StatementsAsync(
        string section, Func<PsqlSession, SqlStatement, CancellationToken, Task<IEnumerable<string>>> runs, CancellationToken cancellation)
    {
        string text = await TextAsync(section, cancellation);
        await using PsqlSession session = await target.OpenStagingAsync(cancellation);
        foreach (SqlStatement statement in SqlStatements.Split(text).Where(static statement => !statement.IsMeta && !IsOfEverySession(statement)))
        {
            SchemaStatements.Require(statement);
            foreach (string sql in await runs(session, statement, cancellation))
                await RunStatementAsync(session, section, sql, cancellation);
        }
    }

    private async Task RunStatementAsync(PsqlSession session, string section, string sql, CancellationToken cancellation)
    {
        byte[] bytes = PsqlText.Encode(sql, Encoding.Latin1);
        try
        {
            await UnderOwnPath.RunAsync(target, session, session.TextEncoding.GetString(bytes), cancellation);
        }
        catch (LifeboatException e) when (PostgresError.Of(e) is { } error)
        {
            throw Refused(section, error.ToString(), e);
        }
    }

    /// <summary>Settings that the session has already; those for what follows are the others.</summary>
    private static bool IsOfEverySession(SqlStatement statement) => statement.Tokens[0].Is("select")
        || (statement.Tokens[0].Is("set") && !(statement.Tokens[1].Is("session") || statement.Tokens[1].Value.StartsWith("default_", StringComparison.Ordinal)));

    private async Task<string> TextAsync(string section, CancellationToken cancellation)
    {
        List<string> arguments = ["--section=" + section, "-f", "-"];
        if (!tablespaces)
            arguments.Add("--no-tablespaces");
        PostgresCommand reader = target.Staging.Command(target.RestoreTools.PgRestore, arguments, connect: false);
        using MemoryStream text = new();
        (int exit, string errors) = await ProgramRunner.PumpAsync(
            reader.Start, FeedAsync, async (output, token) => await SchemaText.CopyAsync(output, text, token), cancellation);
        if (exit != 0)
            throw ProgramRunner.Failed(reader.Start, exit, errors);
        string sql = ColumnBooks.Without(Encoding.Latin1.GetString(text.GetBuffer(), 0, (int)text.Length));
        return OlderServer.Needs(target.RestoreTools.Version.Major, target.ServerMajor) ? OlderServer.Edit(sql, target.ServerMajor) : sql;
    }

    /// <summary>The text of what comes behind the rows, a character for each byte.</summary>
    public Task<string> PostDataAsync(CancellationToken cancellation) => TextAsync("post-data", cancellation);

    private LifeboatException Refused(string section, string errors, Exception? inner = null) => new(
        ErrorCodes.PostgresRestoreFailed,
        $"the {section} section of {Path} could not be restored: {errors}",
        "the server's message names the object; mend what it says on the target server, then run again",
        target.Source,
        inner);

    private async Task FeedAsync(Stream input, CancellationToken cancellation)
    {
        await using Stream dump = target.Snapshot.Open(Path);
        await dump.CopyToAsync(input, cancellation);
    }
}
