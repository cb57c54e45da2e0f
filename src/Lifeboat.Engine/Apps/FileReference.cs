namespace Lifeboat.Engine.Apps;

/// <summary>Says that a column's values name files of a source of type <c>files</c>.</summary>
/// <param name="Name">The column as the app file has it: <c>main/public.ir_attachment.store_fname</c>.</param>
/// <param name="Database">The source that the column is in.</param>
/// <param name="Column">The name's parts: schema (PostgreSQL alone), table, column.</param>
/// <param name="Files">The source that the files are in.</param>
public sealed record FileReference(string Name, string Database, IReadOnlyList<string> Column, string Files)
{
    /// <summary>Cuts a checked name.</summary>
    internal static FileReference Of(string column, string files)
    {
        int slash = column.IndexOf('/', StringComparison.Ordinal);
        return new FileReference(column, column[..slash], ColumnRedaction.SplitName(column[(slash + 1)..])!, files);
    }
}
