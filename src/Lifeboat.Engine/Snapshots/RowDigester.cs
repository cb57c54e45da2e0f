namespace Lifeboat.Engine.Snapshots;

/// <summary>Digests rows that come as text, a line each, in pieces of any size.</summary>
public sealed class RowDigester
{
    private TableDigest _digest;
    private bool _inRow;

    public void Append(ReadOnlySpan<byte> text)
    {
        while (text.IndexOf((byte)'\n') is var end and >= 0)
        {
            if (_inRow)
                _digest.EndRow(text[..end]);
            else
                _digest.Add(text[..end]);
            _inRow = false;
            text = text[(end + 1)..];
        }

        if (text.Length > 0)
        {
            _digest.BeginRow(text, _inRow);
            _inRow = true;
        }
    }

    /// <summary>The digest of all rows; a last line without its end counts as a row.</summary>
    public TableDigest Finish()
    {
        if (_inRow)
            _digest.EndRow([]);
        _inRow = false;
        return _digest;
    }
}
