using System.Globalization;
using System.Text;
using Lifeboat.Engine.Sources.Postgres.Extensions;
using Lifeboat.Engine.Sources.Postgres.Sql;

namespace Lifeboat.Engine.Sources.Postgres.Restore;

/// <summary>
/// Dumps the staged database's schema again and compares its text with the captured one, statement by statement. Where statements differ in expressions alone, the captured ones
/// are run once more in a reference database, and the restored ones must be, to the letter, what the server writes of those. Whatever else differs is an error.
/// </summary>
/// <param name="tablespaces">False where everything went into the default tablespace.</param>
/// <param name="ids">Object ids of this server by those that were captured.</param>
internal sealed class SchemaVerification(
    RestoreTarget target, bool tablespaces, int serverMajor, ExtensionRestore extensions, IReadOnlyDictionary<string, string> ids, ReferenceDatabase reference)
{
    private const int ShownDifferences = 3;
    private const int ShownCharacters = 300;

    public async Task<IReadOnlyList<VerifyCheck>> RunAsync(CancellationToken cancellation)
    {
        (string text, string digest) = await new SchemaReading(target, target.Staging).ReadAsync(cancellation);
        if (digest == target.Details.SchemaDigest)
            return [new VerifyCheck("schema", digest, digest)];
        IReadOnlyList<SqlStatement> captured = [.. Statements(await target.ReadTextAsync($"{target.Folder}/schema.sql", Encoding.Latin1, cancellation)).SelectMany(one => Unfit.Expected(one, Decoded)).Select(Restored)];
        SchemaComparison comparison = new(
            captured, Comparable ? null : Math.Min(RestoreTarget.ToolsMajor(target.Captured), target.RestoreTools.Version.Major), extensions.Edits);
        SchemaDifferences found = comparison.With(Statements(text));
        string same = Comparable ? "the captured statements" : "the captured statements, but for how versions write them";
        string differs = found.Missing.Count + found.Added.Count > 0 ? $"without {Shown(found.Missing)}; and in addition {Shown(found.Added)}"
            : found.Rewritten.Count > 0 ? await UnprovenAsync(captured, found.Rewritten, comparison, cancellation)
            : "";
        return [new VerifyCheck("schema", same, differs.Length == 0 ? same : differs)];
    }

    /// <summary>What rows did not let be made as it was: the rest must be there.</summary>
    public required UnfitRows Unfit { get; init; }

    private bool Comparable => serverMajor == target.Details.ServerVersionNumber / 10000
        && target.RestoreTools.Version.Major == RestoreTarget.ToolsMajor(target.Captured);

    private string Decoded(string text) => target.Details.ServerEncoding == "SQL_ASCII" ? text : Encoding.UTF8.GetString(Encoding.Latin1.GetBytes(text));

    /// <summary>A captured statement as the restore ran it.</summary>
    private SqlStatement Restored(SqlStatement statement) => extensions.Edits(statement)
        ? SqlStatements.Split(extensions.Edit(statement, id => SqlText.Literal(ids.GetValueOrDefault(id, id)))).Single()
        : statement;

    private IReadOnlyList<SqlStatement> Statements(string sql) =>
    [
        .. SqlStatements.Split(ColumnBooks.Without(sql))
            .Where(statement => !statement.IsMeta && (tablespaces || !(statement.Tokens.Count > 1 && statement.Tokens[1].Is("default_tablespace")))),
    ];

    /// <summary>Names those of the rewritten statements that are not what the server makes of the captured ones; "" where all are.</summary>
    private async Task<string> UnprovenAsync(
        IReadOnlyList<SqlStatement> captured, IReadOnlyList<(SqlStatement Captured, SqlStatement Restored)> rewritten, SchemaComparison comparison,
        CancellationToken cancellation)
    {
        SchemaReference made = await reference.MakeAsync(captured, rewritten.Select(static pair => pair.Captured).ToHashSet(), extensions, cancellation);
        IReadOnlyList<SqlStatement> written = Statements(made.Text);
        HashSet<SqlStatement> unproven = [.. SchemaComparison.Unproven(rewritten, written)];
        if (unproven.Count == 0)
            return "";
        ILookup<string, SqlStatement> outlines = written.ToLookup(comparison.Outline);
        return string.Join("; ", rewritten.Where(pair => unproven.Contains(pair.Restored)).Take(ShownDifferences).Select(pair =>
        {
            string expected = made.Refused.TryGetValue(pair.Captured, out string? error) ? $"which the server refuses ({error})"
                : outlines[comparison.Outline(pair.Restored)].FirstOrDefault() is { } other ? $"which the server writes as {Shown(other)}"
                : "of which the server makes nothing";
            return $"with {Shown(pair.Restored)} in place of {Shown(pair.Captured)}, {expected}";
        })) + More(unproven.Count);
    }

    private static string Shown(IReadOnlyList<SqlStatement> statements) =>
        statements.Count == 0 ? "nothing" : string.Join("; ", statements.Take(ShownDifferences).Select(Shown)) + More(statements.Count);

    private static string Shown(SqlStatement statement)
    {
        string text = statement.Text.Length > ShownCharacters ? statement.Text[..ShownCharacters] : statement.Text;
        return Encoding.UTF8.GetString(Encoding.Latin1.GetBytes(text)) + (text.Length < statement.Text.Length ? "…" : "");
    }

    private static string More(int count) => count > ShownDifferences ? string.Create(CultureInfo.InvariantCulture, $"; and {count - ShownDifferences} more") : "";
}
