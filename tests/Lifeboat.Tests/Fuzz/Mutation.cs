namespace Lifeboat.Tests.Fuzz;

/// <summary>Makes inputs out of good ones: bytes changed, taken out, doubled, put in from a dictionary or from another input. The same seed makes the same inputs.</summary>
internal sealed class Mutation(int seed, IReadOnlyList<byte[]> inputs, IReadOnlyList<byte[]> words)
{
    private const int MostBytes = 1 << 16;
    private readonly Random _random = new(seed);

    public byte[] Next()
    {
        List<byte> bytes = [.. inputs[_random.Next(inputs.Count)]];
        for (int changes = 1 + _random.Next(6); changes > 0; changes--)
            Change(bytes);
        return [.. bytes.Take(MostBytes)];
    }

    private void Change(List<byte> bytes)
    {
        int at = _random.Next(bytes.Count + 1), length = Math.Min(bytes.Count - at, 1 + _random.Next(_random.Next(4) == 0 ? 400 : 8));
        switch (_random.Next(8))
        {
            case 0 when at < bytes.Count:
                bytes[at] ^= (byte)(1 << _random.Next(8));
                break;
            case 1 when at < bytes.Count:
                bytes[at] = (byte)(_random.Next(3) switch { 0 => 0, 1 => 255, _ => _random.Next(256) });
                break;
            case 2:
                bytes.RemoveRange(at, length);
                break;
            case 3:
                bytes.InsertRange(_random.Next(bytes.Count + 1), bytes.GetRange(at, length));
                break;
            case 4:
                byte[] other = inputs[_random.Next(inputs.Count)];
                int from = _random.Next(other.Length + 1);
                bytes.InsertRange(at, other.Skip(from).Take(1 + _random.Next(200)));
                break;
            case 5 when _random.Next(4) == 0:
                bytes.RemoveRange(at, bytes.Count - at);
                break;
            default:
                bytes.InsertRange(at, words[_random.Next(words.Count)]);
                break;
        }
    }
}
