namespace Lifeboat.Engine.Sources.Local;

/// <summary>
/// The names in one folder, in the order of their bytes. All are kept in one buffer: a folder of a million names takes about as much
/// memory as its names have bytes.
/// </summary>
internal sealed class NameList
{
    private byte[] _bytes = new byte[1024];
    private int _used;
    private (int Start, int Length)[] _names = new (int, int)[32];

    public int Count { get; private set; }

    public byte[] this[int index] => Span(_names[index]).ToArray();

    public void Add(ReadOnlySpan<byte> name)
    {
        if (_bytes.Length - _used < name.Length)
            Array.Resize(ref _bytes, checked(Math.Max(_bytes.Length * 2, _used + name.Length)));
        if (Count == _names.Length)
            Array.Resize(ref _names, _names.Length * 2);
        name.CopyTo(_bytes.AsSpan(_used));
        _names[Count++] = (_used, name.Length);
        _used += name.Length;
    }

    public void Sort() => _names.AsSpan(0, Count).Sort((a, b) => Span(a).SequenceCompareTo(Span(b)));

    private ReadOnlySpan<byte> Span((int Start, int Length) name) => _bytes.AsSpan(name.Start, name.Length);
}
