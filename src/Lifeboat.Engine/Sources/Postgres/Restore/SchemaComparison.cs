using Lifeboat.Engine.Sources.Postgres.Sql;

namespace Lifeboat.Engine.Sources.Postgres.Restore;

/// <summary>
/// Compares the statements of two schemas, whatever their order: pg_dump orders some objects of the same name by their object ids. PostgreSQL keeps expressions as trees; what it
/// writes of one need not be what it writes when it has read that, so statements that differ in expressions alone are pairs that a <see cref="SchemaReference"/> must decide.
/// </summary>
/// <param name="captured">As the restore ran them.</param>
/// <param name="major">The major version of the older of the programs that wrote the two; null where server and programs of both are of the same.</param>
/// <param name="madeAnew">Whether a statement makes a view whose text an extension's repair has changed: it has the brackets that the server likes.</param>
internal sealed class SchemaComparison(IReadOnlyList<SqlStatement> captured, int? major, Func<SqlStatement, bool> madeAnew)
{
    private readonly CommonForm _form = new(captured, major ?? int.MaxValue);

    public SchemaDifferences With(IReadOnlyList<SqlStatement> restored) => SchemaDifferences.Of(captured, restored, Key).WithRewritten(Outline, IsDoubtful);

    /// <summary>Those of the rewritten statements that are not, to the letter, what the server writes of the captured ones.</summary>
    /// <param name="reference">What the server made of those.</param>
    public static IReadOnlyList<SqlStatement> Unproven(
        IReadOnlyList<(SqlStatement Captured, SqlStatement Restored)> rewritten, IReadOnlyList<SqlStatement> reference) =>
        SchemaDifferences.Of(rewritten.Select(static pair => pair.Restored), reference, ComparableStatement.Of).Missing;

    /// <summary>A statement without its expressions, in which the same object is the same.</summary>
    public string Outline(SqlStatement statement) =>
        major is null ? StatementOutline.TextOf(Comparable(statement).Tokens) : _form.OutlineOf(Comparable(statement));

    private string Key(SqlStatement statement) =>
        major is null && !madeAnew(statement) ? ComparableStatement.Of(statement) : _form.Of(Comparable(statement), brackets: !madeAnew(statement));

    /// <summary>Newer versions leave out the table in front of a column where only one can be meant; where one names another, that may be another column.</summary>
    private bool IsDoubtful((SqlStatement Captured, SqlStatement Restored) pair) =>
        major is not null && StatementOutline.IsQuery(pair.Captured.Tokens) && !_form.SameTables(pair.Captured, pair.Restored);

    private static SqlStatement Comparable(SqlStatement statement) =>
        ComparableStatement.Of(statement) is var text && text == statement.Text ? statement : SqlStatements.Split(text).First();
}
