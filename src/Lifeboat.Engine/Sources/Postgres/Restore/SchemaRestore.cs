using System.Text;
using Lifeboat.Engine.Errors;
using Lifeboat.Engine.Hosting;
using Lifeboat.Engine.Processes;
using Lifeboat.Engine.Progress;
using Lifeboat.Engine.Snapshots;
using Lifeboat.Engine.Sources.Postgres.Extensions;
using Lifeboat.Engine.Sources.Postgres.Sessions;
using Lifeboat.Engine.Sources.Postgres.Sql;

namespace Lifeboat.Engine.Sources.Postgres.Restore;

/// <summary>
/// Restores <c>schema.dump</c> with pg_restore, section by section. pg_restore restores in parallel only from a file, so one is made in the
/// temporary folder; behind <c>via:</c> the file would be on the wrong side, so there the dump goes through its input, in one stream.
/// </summary>
/// <param name="connection">To the staged database.</param>
/// <param name="path">Of <c>schema.dump</c> in the snapshot.</param>
/// <param name="serverMajor">The server may be older than the programs.</param>
internal sealed class SchemaRestore(
    RunContext context, PostgresTools tools, PostgresConnection connection, VerifiedSnapshot snapshot, string path, bool tablespaces, int serverMajor) : IDisposable
{
    private string? _file;

    private bool IsEdited => OlderServer.Needs(tools.Version.Major, serverMajor);

    public Task PreDataAsync(CancellationToken cancellation) =>
        IsEdited ? StatementsAsync("pre-data", OneByOne, cancellation) : RunAsync("pre-data", cancellation);

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

    private static Task<IEnumerable<string>> OneByOne(PsqlSession session, SqlStatement statement, CancellationToken cancellation) =>
        Task.FromResult<IEnumerable<string>>([statement.Text]);

    /// <summary>pg_restore writes a section's text, and a session runs its statements one by one.</summary>
    /// <param name="runs">Gives what is run for a statement; texts have a character for each byte.</param>
    private async Task StatementsAsync(
        string section, Func<PsqlSession, SqlStatement, CancellationToken, Task<IEnumerable<string>>> runs, CancellationToken cancellation)
    {
        string text = await TextAsync(section, cancellation);
        await using PsqlSession session = await PsqlSession.OpenAsync(tools, connection, cancellation);
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
            await session.ExecuteAsync(session.TextEncoding.GetString(bytes), cancellation);
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
        PostgresCommand reader = connection.Command(tools.PgRestore, arguments, connect: false);
        using MemoryStream text = new();
        (int exit, string errors) = await ProgramRunner.PumpAsync(
            reader.Start, FeedAsync, async (output, token) => await SchemaText.CopyAsync(output, text, token), cancellation);
        return exit == 0 ? ColumnBooks.Without(OlderServer.Edit(Encoding.Latin1.GetString(text.GetBuffer(), 0, (int)text.Length), serverMajor))
            : throw ProgramRunner.Failed(reader.Start, exit, errors);
    }

    /// <summary>The text of what comes behind the rows, a character for each byte.</summary>
    public Task<string> PostDataAsync(CancellationToken cancellation) => TextAsync("post-data", cancellation);

    public void Dispose()
    {
        if (_file is not null)
            File.Delete(_file);
    }

    private async Task RunAsync(string section, CancellationToken cancellation)
    {
        List<string> arguments = ["--section=" + section, "--exit-on-error"];
        if (!tablespaces)
            arguments.Add("--no-tablespaces");
        if (connection.Via.Count == 0)
            arguments.Add(await FileAsync(cancellation));
        PostgresCommand command = connection.Command(tools.PgRestore, arguments);
        (int exit, string errors) = await ProgramRunner.PumpAsync(
            command.Start,
            async (input, token) =>
            {
                await input.WriteAsync(command.InputPrefix, token);
                if (connection.Via.Count > 0)
                    await FeedAsync(input, token);
            },
            async (output, token) => await output.CopyToAsync(Stream.Null, token),
            cancellation);
        Judge(exit, errors, section);
    }

    private void Judge(int exit, string errors, string section)
    {
        if (exit != 0)
            throw Refused(section, PostgresProblems.Flat(errors));
        foreach (string line in errors.Split('\n', StringSplitOptions.RemoveEmptyEntries))
            context.Progress.Report(new Noted(connection.Source, "pg_restore: " + line));
    }

    private LifeboatException Refused(string section, string errors, Exception? inner = null) => new(
        ErrorCodes.PostgresRestoreFailed,
        $"pg_restore could not restore the {section} section of {path}: {errors}",
        "the server's message names the object; mend what it says on the target server, then run again",
        connection.Source,
        inner);

    private async Task FeedAsync(Stream input, CancellationToken cancellation)
    {
        await using Stream dump = snapshot.Open(path);
        await dump.CopyToAsync(input, cancellation);
    }

    private async Task<string> FileAsync(CancellationToken cancellation)
    {
        if (_file is not null)
            return _file;
        _file = TemporaryFile("dump");
        FileStreamOptions options = new() { Mode = FileMode.CreateNew, Access = FileAccess.Write, Options = FileOptions.Asynchronous };
        if (!OperatingSystem.IsWindows())
            options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        await using FileStream stream = new(_file, options);
        await FeedAsync(stream, cancellation);
        return _file;
    }

    private string TemporaryFile(string kind) => Path.Combine(context.Host.TempDirectory, $"lifeboat-{context.Host.NewId()}.{kind}");
}
