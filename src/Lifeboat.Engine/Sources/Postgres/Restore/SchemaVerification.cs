using System.Globalization;
using System.Text;
using Lifeboat.Engine.Errors;
using Lifeboat.Engine.Processes;
using Lifeboat.Engine.Progress;
using Lifeboat.Engine.Sources.Postgres.Extensions;
using Lifeboat.Engine.Sources.Postgres.Sessions;
using Lifeboat.Engine.Sources.Postgres.Sql;

namespace Lifeboat.Engine.Sources.Postgres.Restore;

/// <summary>
/// Dumps the staged database's schema again and compares its text with the captured one. Where server or programs are of another major version,
/// expressions may be written in another way without being others: that is said. Whatever else is missing, added or different is an error there too.
/// </summary>
/// <param name="tablespaces">False where everything went into the default tablespace.</param>
/// <param name="ids">Object ids of this server by those that were captured.</param>
internal sealed class SchemaVerification(
    RestoreTarget target, bool tablespaces, int serverMajor, ExtensionRestore extensions, IReadOnlyDictionary<string, string> ids)
{
    private const int ShownDifferences = 3;
    private const int ShownCharacters = 300;

    public async Task<IReadOnlyList<VerifyCheck>> RunAsync(CancellationToken cancellation)
    {
        string stem = Path.Combine(target.Context.Host.TempDirectory, $"lifeboat-{target.Context.Host.NewId()}");
        string dump = stem + ".dump", text = stem + ".sql";
        try
        {
            await DumpAsync(dump, cancellation);
            string digest = await WriteTextAsync(dump, text, cancellation);
            if (digest == target.Details.SchemaDigest)
                return [new VerifyCheck("schema", digest, digest)];
            SchemaDifferences found = await DifferencesAsync(text, cancellation);
            string same = Comparable ? "the captured statements" : "the captured statements, but for how versions write them";
            if (found.Missing.Count + found.Added.Count > 0)
                return [new VerifyCheck("schema", same, $"without {Shown(found.Missing)}; and in addition {Shown(found.Added)}")];
            if (found.Rewritten.Count > 0)
                Warn(found.Rewritten);
            return [new VerifyCheck("schema", same, same)];
        }
        finally
        {
            File.Delete(dump);
            File.Delete(text);
        }
    }

    private bool Comparable => serverMajor == target.Details.ServerVersionNumber / 10000
        && target.RestoreTools.Version.Major == RestoreTarget.ToolsMajor(target.Captured);

    private async Task DumpAsync(string file, CancellationToken cancellation)
    {
        List<string> options = ["--schema-only", "--format=custom"];
        if (target.Details.ServerEncoding != "SQL_ASCII")
            options.Add("--encoding=UTF8");
        PostgresCommand command = target.Staging.Command(target.RestoreTools.PgDump, options);
        await using FileStream stream = Create(file);
        (int exit, string errors) = await ProgramRunner.PumpAsync(
            command.Start,
            async (input, token) => await input.WriteAsync(command.InputPrefix, token),
            async (output, token) => await output.CopyToAsync(stream, token),
            cancellation);
        if (exit != 0)
            throw PostgresProblems.OfProgram(command.Start, exit, errors, target.Staging, "pg_dump read the staged schema");
    }

    private async Task<string> WriteTextAsync(string dump, string text, CancellationToken cancellation)
    {
        PostgresCommand command = target.Staging.Command(target.RestoreTools.PgRestore, ["-f", "-"], connect: false);
        await using FileStream stream = Create(text);
        string digest = "";
        (int exit, string errors) = await ProgramRunner.PumpAsync(
            command.Start,
            async (input, token) =>
            {
                await using FileStream from = File.OpenRead(dump);
                await from.CopyToAsync(input, token);
            },
            async (output, token) => digest = await SchemaText.CopyAsync(output, stream, token),
            cancellation);
        return exit == 0 ? digest : throw ProgramRunner.Failed(command.Start, exit, errors);
    }

    private static FileStream Create(string file)
    {
        FileStreamOptions options = new() { Mode = FileMode.CreateNew, Access = FileAccess.Write };
        if (!OperatingSystem.IsWindows())
            options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        return new FileStream(file, options);
    }

    /// <summary>Compares statement by statement, whatever the order: pg_dump orders some objects of the same name by their object ids.</summary>
    private async Task<SchemaDifferences> DifferencesAsync(string text, CancellationToken cancellation)
    {
        IReadOnlyList<SqlStatement> captured = Statements(await target.ReadTextAsync($"{target.Folder}/schema.sql", Encoding.Latin1, cancellation));
        IReadOnlyList<SqlStatement> restored = Statements(await File.ReadAllTextAsync(text, Encoding.Latin1, cancellation));
        CommonForm form = new(captured, Math.Min(RestoreTarget.ToolsMajor(target.Captured), target.RestoreTools.Version.Major));
        string key(SqlStatement statement)
        {
            string comparable = ComparableStatement.Of(statement);
            // A view that was made anew has the brackets that the server likes.
            return Comparable && !extensions.Edits(statement) ? comparable
                : form.Of(comparable == statement.Text ? statement : Reread(comparable) ?? statement, brackets: !extensions.Edits(statement));
        }

        SchemaDifferences exact = SchemaDifferences.Of(captured.Select(Restored), restored, key);
        return Comparable ? exact : exact.WithRewritten(form);
    }

    /// <summary>A statement whose lines were sorted; null where one of them ended inside quotes.</summary>
    private static SqlStatement? Reread(string sql)
    {
        try
        {
            return SqlStatements.Split(sql).First();
        }
        catch (FormatException)
        {
            return null;
        }
    }

    /// <summary>A captured statement as the restore ran it.</summary>
    private SqlStatement Restored(SqlStatement statement) => extensions.Edits(statement)
        ? SqlStatements.Split(extensions.Edit(statement, id => SqlText.Literal(ids.GetValueOrDefault(id, id)))).Single()
        : statement;

    private IReadOnlyList<SqlStatement> Statements(string sql) =>
    [
        .. SqlStatements.Split(ColumnBooks.Without(sql))
            .Where(statement => !statement.IsMeta && (tablespaces || !(statement.Tokens.Count > 1 && statement.Tokens[1].Is("default_tablespace")))),
    ];

    private void Warn(IReadOnlyList<(SqlStatement Captured, SqlStatement Restored)> rewritten) =>
        target.Context.Progress.Report(new Warned(target.Source, new Problem(
            ErrorCodes.PostgresNotComparable,
            string.Create(
                CultureInfo.InvariantCulture,
                $"{rewritten.Count} statements of the schema have expressions that PostgreSQL {serverMajor} writes in another way than {target.Details.ServerVersion} with tools {target.Captured.Tools}"),
            $"look whether they mean the same. Captured: {Shown([.. rewritten.Select(static r => r.Captured)])}. Restored: {Shown([.. rewritten.Select(static r => r.Restored)])}",
            target.Source)));

    private static string Shown(IReadOnlyList<SqlStatement> statements)
    {
        if (statements.Count == 0)
            return "nothing";
        IEnumerable<string> some = statements.Take(ShownDifferences).Select(static s => s.Text)
            .Select(static s => Encoding.UTF8.GetString(Encoding.Latin1.GetBytes(s.Length > ShownCharacters ? s[..ShownCharacters] : s)) + (s.Length > ShownCharacters ? "…" : ""));
        return string.Join("; ", some) + (statements.Count > ShownDifferences ? string.Create(CultureInfo.InvariantCulture, $"; and {statements.Count - ShownDifferences} more") : "");
    }
}
